#pragma once

#include <filesystem>

namespace mtl::deploy_detail {

/// A folder that appears whole or not at all: made beside its place as ".<name>.mtl-<process>-<n>"
/// and moved there by `commit()`, in exchange for what was there, which is removed. The destructor
/// removes what was not committed.
/// Error: whatever the system refuses.
class NewFolder {
 public:
  explicit NewFolder(const std::filesystem::path& target);
  ~NewFolder();
  NewFolder(const NewFolder&) = delete;
  NewFolder& operator=(const NewFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  void commit();

 private:
  std::filesystem::path target_, path_;
};

}  // namespace mtl::deploy_detail
