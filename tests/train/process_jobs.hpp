#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "catch.hpp"
#include "mtl/core/core.hpp"
#include "mtl/io/io.hpp"
#include "mtl/train/train.hpp"
#include "temporary_folder.hpp"

/// What spawned processes are told to do, and what each leaves in the folder of its test.
namespace process_jobs {

inline std::string variable(const char* name) {  // empty where a person starts the worker
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}
inline std::filesystem::path folder() { return variable("MTL_TEST_FOLDER"); }
inline bool job_is(const std::string& job) { return job == variable("MTL_TEST_JOB"); }

/// The variables by which they are told.
inline std::vector<std::string> job(const TemporaryFolder& folder, const std::string& name) {
  return {"MTL_TEST_FOLDER=" + folder.path().string(), "MTL_TEST_JOB=" + name};
}

inline std::filesystem::path own_file(const std::string& name) {
  return folder() / (name + "." + variable("RANK"));
}
inline void write_text(const std::string& name, const std::string& text) {
  mtl::io::write_file_atomically(own_file(name), text);
}
inline void write_weights(const std::string& name, const mtl::Tensor& weights) {
  mtl::io::write_safetensors(own_file(name), {{"weights", weights}});
}

inline std::string read_text(const std::filesystem::path& folder, const std::string& name,
                             int rank) {
  return mtl::io::read_file(folder / (name + "." + std::to_string(rank)));
}
inline mtl::Tensor read_weights(const std::filesystem::path& folder, const std::string& name,
                                int rank) {
  return mtl::io::read_safetensors(folder / (name + "." + std::to_string(rank)))["weights"];
}

inline bool without_gloo() {
  if (mtl::Processes::available()) return false;
  WARN("skipped: the library was built without Gloo");
  return true;
}

}  // namespace process_jobs
