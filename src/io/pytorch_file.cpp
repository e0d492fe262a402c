#include "mtl/io/pytorch_file.hpp"

#include <algorithm>
#include <string>

#include "mtl/core/error.hpp"
#include "mtl/io/excerpt.hpp"
#include "mtl/io/file.hpp"
#include "pickled_tensors.hpp"
#include "zip_records.hpp"

namespace mtl::io {
namespace {

constexpr std::string_view zip_begin = "PK\3\4";
constexpr uint64_t largest_pickle = uint64_t{16} << 20;

std::string first_bytes(const std::filesystem::path& path, size_t count) {
  InputFile file(path, Pipes::refused);
  std::string bytes(count, '\0');
  bytes.resize(file.read_some(bytes.data(), count));
  return bytes;
}

/// "model" of "model/data.pkl", the archive's one folder.
std::string folder_of(const ZipRecords& archive, const std::string& file) {
  constexpr std::string_view pickle = "/data.pkl";
  for (const auto& [name, record] : archive.records())
    if (name.ends_with(pickle) && name.find('/') == name.size() - pickle.size()) {
      const std::string folder = name.substr(0, name.size() - pickle.size());
      if (archive.find(folder + "/constants.pkl") != nullptr)
        throw Error(
            "{}: is TorchScript, which holds code; load it with torch.jit.load and save its "
            "state_dict() with torch.save",
            file);
      return folder;
    }
  throw Error("{}: is a zip archive without data.pkl, which is none of torch.save's", file);
}

}  // namespace

bool is_pytorch_file(const std::filesystem::path& path) {
  return first_bytes(path, zip_begin.size()) == zip_begin;
}

NamedTensors read_pytorch(const std::filesystem::path& path) {
  const std::string file = "\"" + path.string() + "\"";
  if (const std::string begin = first_bytes(path, zip_begin.size()); begin != zip_begin)
    throw Error(
        "{}: {}", file,
        begin.starts_with("\x80")
            ? "is a pickle by itself, as torch.save wrote it before PyTorch 1.6; load it in "
              "Python and save it again"
            : "is none of torch.save's files, which are zip archives");
  ZipRecords archive(path);
  const std::string folder = folder_of(archive, file) + "/";
  const auto whole = [&](const std::string& name, const ZipRecords::Record& record) {
    if (record.size > largest_pickle)
      throw Error("{}: \"{}\" in it has {} bytes, expected at most {}", file, excerpt(name),
                  record.size, largest_pickle);
    std::string bytes(record.size, '\0');
    archive.read(name, record, bytes.data());
    return bytes;
  };
  if (const auto* order = archive.find(folder + "byteorder"))
    if (whole(folder + "byteorder", *order) != "little")
      throw Error("{}: was written on a machine that has the high byte first", file);
  const std::string pickle = whole(folder + "data.pkl", *archive.find(folder + "data.pkl"));
  return pickled_tensors(
      pickle, file, [&](const std::string& key, at::ScalarType type, int64_t numbers) {
        const std::string name = folder + "data/" + key;
        const auto* record = archive.find(name);
        if (record == nullptr) throw Error("{}: \"{}\" is not in it", file, excerpt(name));
        const auto item = static_cast<uint64_t>(c10::elementSize(type));
        if (record->size % item != 0 || record->size / item != static_cast<uint64_t>(numbers))
          throw Error("{}: \"{}\" in it has {} bytes, expected {} numbers of {}", file,
                      excerpt(name), record->size, numbers, item);
        Tensor storage = torch::empty({numbers}, torch::dtype(type));
        auto* bytes = static_cast<char*>(storage.data_ptr());
        archive.read(name, *record, bytes);
        // A bool that is neither 0 nor 1 is undefined behaviour wherever it is used.
        if (type == at::kBool &&
            std::any_of(bytes, bytes + record->size, [](unsigned char byte) { return byte > 1; }))
          throw Error("{}: \"{}\" of bools holds a byte that is neither 0 nor 1", file,
                      excerpt(name));
        return storage;
      });
}

}  // namespace mtl::io
