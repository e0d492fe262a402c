#pragma once

#include <vector>

#include "mtl/data/target_columns.hpp"
#include "mtl/deploy/bundle_notes.hpp"

namespace mtl {

/// What a bundle has to say of networks that learnt from a table (learn_table): how its columns
/// become their input "row", and what their answers are in the table's units.
///
///     auto model = learn_table(data, rows).model;
///     save_bundle(model.networks, "houses", table_notes(model.encoder, model.tasks));
///     Predictor("houses").predict(Table::read("new.csv"))["price"].values;
BundleNotes table_notes(const TableEncoder& encoder, const std::vector<TargetColumn>& tasks);

}  // namespace mtl
