#pragma once

#include "mtl/evaluate/compare.hpp"
#include "mtl/train/tables/table_model.hpp"

namespace mtl::evaluate {

/// One network for all tasks of a table (by `learning.combiner`) beside one a task, by a given
/// recipe: each learns from 65 % of the rows, stops by 15 % and is judged by the same 20 %, by the
/// metrics of judged_tasks. Of `options` it needs the directory, where the runs have a folder by
/// what they depend on (table, recipe, epochs, seed); tasks, methods, first seed and identity
/// follow from the others.
/// Error: as compare; Interrupted.
Comparison compare_table(const TableData& data, const TableRecipe& recipe,
                         const TableLearning& learning, CompareOptions options);

}  // namespace mtl::evaluate
