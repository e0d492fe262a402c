#include "mtl/deploy/bundle.hpp"

#include <array>
#include <nlohmann/json.hpp>

#include "mtl/deploy/description.hpp"
#include "mtl/io/digest.hpp"
#include "mtl/io/file.hpp"
#include "mtl/io/json_member.hpp"
#include "mtl/sharing/load.hpp"
#include "mtl/sharing/save.hpp"
#include "new_folder.hpp"
#include "notes_json.hpp"

namespace mtl {
namespace fs = std::filesystem;
namespace {

using io::Json;

constexpr int64_t version = 1;
constexpr const char* json_name = "bundle.json";
constexpr const char* weights_name = "weights.safetensors";

std::string digest_of_file(const fs::path& path) {
  io::InputFile file(path);
  io::Digest digest;
  std::string part(size_t{1} << 20, '\0');
  while (const size_t count = file.read_some(part.data(), part.size()))
    digest.update(std::string_view(part).substr(0, count));
  return digest.text();
}

/// Of all that "bundle.json" says but the digest.
std::string digest_of(Json bundle) {
  bundle.erase("digest");
  io::Digest digest;
  digest.update(io::json_text(bundle, -1));
  return digest.text();
}

/// What a bundle holds but the weights' model.
struct Read {
  Json json = {};
  NamedTensors weights = NamedTensors();
  BundleNotes notes = {};
  std::vector<deploy_detail::TaskNotes> tasks = {};
};

Read read(const fs::path& directory) {
  Read found{.json = io::read_json(io::file_within(directory, json_name))};
  const Json& json = found.json;
  if (!json.is_object() || json.value("format", Json()) != "mtl bundle")
    throw Error("{} does not say that it is an mtl bundle", json_name);
  if (const auto is = io::json_member<int64_t>(json, "version", json_name); is != version)
    throw Error("it is of version {}, and this library reads version {}", is, version);
  if (io::json_member<std::string>(json, "digest", json_name) != digest_of(json))
    throw Error("{} does not fit its digest: it was damaged or changed after it was written",
                json_name);
  found.notes = deploy_detail::read_notes(json, found.tasks);
  const auto file = json.find("weights");
  if (file == json.end()) throw Error("{}: \"weights\" is missing", json_name);
  const fs::path weights =
      io::file_within(directory, io::json_member<std::string>(*file, "file", json_name));
  if (digest_of_file(weights) != io::json_member<std::string>(*file, "digest", json_name))
    throw Error("\"{}\" is not the file that was saved with {}: its digest differs",
                weights.filename().string(), json_name);
  found.weights = io::read_safetensors(weights);
  return found;
}

/// A bundle's model can predict; what it would be trained by stayed behind. What the loss said of
/// the outputs did not: an ensemble and another bundle ask it.
template <int64_t ClassDimension>
struct LossLeftBehind {
  static constexpr int64_t class_dimension = ClassDimension;
  LossOutputs outputs = LossOutputs::plain;
  bool yes_or_no_ = false;

  bool yes_or_no() const { return yes_or_no_; }
  Tensor operator()(const Tensor&, const Tensor&) const {
    throw Error(
        "the model comes from a bundle, which holds no losses; train one that you make, and load "
        "the bundle into it");
  }
};

Loss no_loss(const deploy_detail::TaskNotes& task) {
  switch (task.classes_in) {
    case 0:
      return {LossLeftBehind<1>{task.outputs, true}, task.kind};
    case 1:
      return {LossLeftBehind<1>{task.outputs}, task.kind};
    case 2:
      return {LossLeftBehind<2>{task.outputs}, task.kind};
    case 3:
      return {LossLeftBehind<3>{task.outputs}, task.kind};
    default:
      throw Error("the classes of its outputs lie in dimension {}, expected 0 to 3",
                  task.classes_in);
  }
}

/// Errors of a bundle name its folder.
template <class Load>
Bundle in_folder(const fs::path& directory, const Load& load) {
  try {
    return load(read(directory));
  } catch (const Error& error) {
    throw Error("bundle \"{}\": {}", directory.string(), error.what());
  } catch (const fs::filesystem_error& error) {
    throw Error("bundle \"{}\": {}", directory.string(), error.code().message());
  }
}

/// What lies beside an older bundle would go with it. Error: there is something.
void require_nothing_else(const fs::path& directory) {
  std::error_code error;
  for (fs::directory_iterator entry(directory, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name != json_name && name != weights_name)
      throw Error(
          "the bundle \"{}\" has \"{}\" beside it, which would be lost when another takes its "
          "place; move that away, or give another folder",
          directory.string(), name);
  }
}

}  // namespace

void save_bundle(ModelRef model, const fs::path& directory, const BundleNotes& notes,
                 const Kinds& kinds) {
  std::error_code ignored;
  if (fs::exists(directory, ignored) &&
      !(fs::is_directory(directory, ignored) &&
        (fs::is_empty(directory, ignored) || fs::exists(directory / json_name, ignored))))
    throw Error("\"{}\" is there and is no bundle; give another folder", directory.string());
  require_nothing_else(directory);
  Json bundle = {{"format", "mtl bundle"}, {"version", version}};
  bundle["model"] = model_description(*model, kinds);
  deploy_detail::write_notes(bundle, *model, notes);
  deploy_detail::NewFolder folder(directory);
  save(model, folder.path() / weights_name);
  bundle["weights"] = {{"file", weights_name},
                       {"digest", digest_of_file(folder.path() / weights_name)}};
  bundle["digest"] = digest_of(bundle);
  io::write_json(folder.path() / json_name, bundle);
  folder.commit();
}

Bundle load_bundle(const fs::path& directory, const Kinds& kinds) {
  return in_folder(directory, [&](Read found) -> Bundle {
    std::vector<Task> tasks;
    for (size_t t = 0; t < found.tasks.size(); ++t)
      tasks.push_back({.name = found.notes.tasks[t].task,
                       .loss = no_loss(found.tasks[t]),
                       .target = found.tasks[t].target});
    const auto model = found.json.find("model");
    if (model == found.json.end()) throw Error("{}: \"model\" is missing", json_name);
    return {make_model(*model, found.weights, std::move(tasks), kinds), std::move(found.notes)};
  });
}

Bundle load_bundle(const fs::path& directory, std::shared_ptr<Model> model) {
  return in_folder(directory, [&](Read found) -> Bundle {
    if (model == nullptr) throw Error("the model to load into is empty: a null pointer was given");
    std::vector<std::string> names;
    for (const Task& task : model->tasks()) names.push_back(task.name);
    std::vector<std::string> saved;
    for (const auto& task : found.notes.tasks) saved.push_back(task.task);
    if (names != saved)
      throw Error("its tasks are {}, the model's {}", io::json_text(Json(saved), -1),
                  io::json_text(Json(names), -1));
    nn::load_weights(*model, found.weights);
    model->eval();
    return {std::move(model), std::move(found.notes)};
  });
}

}  // namespace mtl
