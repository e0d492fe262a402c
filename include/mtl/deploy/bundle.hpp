#pragma once

#include <filesystem>
#include <memory>

#include "mtl/deploy/bundle_notes.hpp"
#include "mtl/deploy/kind.hpp"
#include "mtl/sharing/model_ref.hpp"

namespace mtl {

/// A model with what is to be known of it, as `load_bundle` reads it.
struct Bundle {
  std::shared_ptr<Model> model;  // in evaluation mode, on the CPU; its losses are left behind
  BundleNotes notes;             // with one entry for each task, in their order
};

/// Writes a model as one folder that leaves the training program behind: "weights.safetensors" and
/// "bundle.json" with its architecture, tasks and notes. The folder appears whole or not at all: it
/// is written beside its place and moved there; a bundle that was there is replaced.
/// Error: notes of an unknown task, two of one task or input; there is something else at
/// `directory`, or beside the bundle there; it cannot be written; a layer of torch's has an option
/// that is not carried over.
void save_bundle(ModelRef model, const std::filesystem::path& directory,
                 const BundleNotes& notes = {}, const Kinds& kinds = {});

/// Reads a bundle, from anyone: it holds no code, costs no more memory than its files and leads to
/// no file outside its folder. `kinds` says how parts of one's own are made.
/// Error: a file is missing, damaged or of another version; a part of an unknown kind; a model of
/// one's own, for which there is the second form.
Bundle load_bundle(const std::filesystem::path& directory, const Kinds& kinds = {});

/// The same into a model that is there already. Error: there is none; it has other tasks or
/// weights, and stays as it was.
Bundle load_bundle(const std::filesystem::path& directory, std::shared_ptr<Model> model);

}  // namespace mtl
