#pragma once

#include <filesystem>

#include "mtl/deploy/bundle_notes.hpp"
#include "mtl/io/json.hpp"
#include "mtl/sharing/model.hpp"

namespace mtl::deploy_detail {

/// What "bundle.json" says of the tasks and beside them.
struct TaskNotes {
  std::string target;
  LossKind kind = LossKind::regression;
  std::vector<std::string> metrics;  // by which it was judged
  int64_t classes_in = 1;  // of a classification: their dimension; 0: each output a yes or no
  LossOutputs outputs = LossOutputs::plain;
};

/// Adds the members "inputs", "tasks", ... to `bundle`. Error: notes of a task that is not there,
/// two of one task or input; a metric that is not finite.
void write_notes(io::Json& bundle, const Model& model, const BundleNotes& notes);

/// Reads them, with one entry of notes and of `of_tasks` for each task.
/// Error: a member is missing, or of another type.
BundleNotes read_notes(const io::Json& bundle, std::vector<TaskNotes>& of_tasks);

}  // namespace mtl::deploy_detail
