#include <torch/torch.h>

#include <nlohmann/json.hpp>

#include "mtl/combine/combine.hpp"
#include "mtl/core/core.hpp"
#include "mtl/data/data.hpp"
#include "mtl/io/digest.hpp"
#include "mtl/io/io.hpp"
#include "mtl/nn/nn.hpp"
#include "mtl/sharing/sharing.hpp"
#include "mtl/task/tasks.hpp"
#include "mtl/train/train.hpp"
#include "target.hpp"

// Checkpoints. An input is a JSON object that says what the two files of a checkpoint hold, from
// which they are made with digests that fit: a stranger can do that as well.
//   {"run": 0, "list": {...}, "about": {...},
//    "tensors": {"model.x": {"dtype": "F32", "shape": [3]}}}
// A tensor of the original's kind and shape has its values, another one zeros.

namespace fuzz {
namespace {

using mtl::io::Json;

constexpr const char* marker = "mtl_checkpoint";
constexpr std::pair<const char*, at::ScalarType> kinds[] = {
    {"F64", at::kDouble}, {"F32", at::kFloat}, {"I64", at::kLong}, {"I8", at::kChar},
    {"U8", at::kByte},    {"BOOL", at::kBool}, {"F16", at::kHalf}};

/// Two runs: one with checkpoints after epochs, one within them.
void train(int64_t which, const std::filesystem::path& place, bool resume, int64_t epochs) {
  torch::manual_seed(3);
  mtl::TaskRegistry tasks;
  for (const char* name : {"a", "b"})
    tasks.add({.name = name,
               .head = mtl::nn::LinearHead(2, 1),
               .loss = mtl::MeanSquaredError{},
               .metrics = {mtl::Mae{}}});
  mtl::HardSharing model(
      mtl::nn::MlpEncoder({.input_size = 2, .hidden_sizes = {2}, .dropout = 0.1}), tasks);
  const auto x = torch::linspace(-1, 1, 12).view({6, 2});
  const mtl::TensorDataset data({{"x", x}}, {{"a", x.sum(1)}, {"b", x.select(1, 0).clone()}});
  mtl::BatchLoader loader(data, {.batch_size = 2, .shuffle = true, .seed = 1});
  mtl::BatchLoader valid(data);
  torch::optim::Adam adam(model->parameters(), torch::optim::AdamOptions(0.01));
  const auto combiner = mtl::make_combiner(which == 0 ? "kendall" : "gradnorm", tasks);
  mtl::Trainer trainer(
      model, adam, *combiner,
      {.epochs = epochs,
       .checkpoint = {.directory = place, .resume = resume, .every_steps = which == 0 ? 0 : 2}});
  const auto stop = [](mtl::TrainState& state) { return state.epoch >= 1 && state.step >= 5; };
  struct StopWithin {
    bool active;
    decltype(stop) due;
    void on_step_end(mtl::TrainState& state) {
      if (active && due(state)) state.stop("within an epoch");
    }
  };
  if (which == 0)
    trainer.fit(loader, valid, mtl::EarlyStopping{.patience = 5}, mtl::ReduceOnPlateauLr{},
                mtl::BestModel{});
  else
    trainer.fit(loader, valid, StopWithin{!resume, stop}, mtl::StepLr{.step_size = 1},
                mtl::AverageWeights{});
}

struct RunBase {
  Json seed;
  mtl::NamedTensors tensors;
};

const std::vector<RunBase>& run_bases() {
  static const std::vector<RunBase> all = [] {
    std::vector<RunBase> made;
    for (const int64_t which : {0, 1}) {
      const auto place = folder() / "base";
      std::filesystem::remove_all(place);
      train(which, place, false, which == 0 ? 1 : 2);
      const Json list = mtl::io::read_json(place / "checkpoint.json");
      mtl::io::Metadata metadata;
      const auto tensors =
          mtl::io::read_safetensors(place / list["files"].back().get<std::string>(), &metadata);
      Json seed = {{"run", which}, {"list", list}};
      seed["about"] = mtl::io::parse_json(metadata[marker]);
      for (const auto& item : tensors)
        for (const auto& [name, type] : kinds)
          if (type == item.value().scalar_type())
            seed["tensors"][item.key()] = {{"dtype", name}, {"shape", item.value().sizes().vec()}};
      made.push_back({seed, tensors});
    }
    return made;
  }();
  return all;
}

mtl::Tensor described(const Json& tensor, const mtl::Tensor* original) {
  const auto shape = mtl::io::json_member<std::vector<int64_t>>(tensor, "shape", "tensor");
  const auto dtype = mtl::io::json_member<std::string>(tensor, "dtype", "tensor");
  double count = 1;
  for (const int64_t size : shape) count *= size < 0 ? 1e9 : static_cast<double>(size);
  if (count > 1e5 || shape.size() > 64) throw mtl::Error("a tensor too large for a test");
  for (const auto& [name, type] : kinds) {
    if (dtype != name) continue;
    const bool same = original != nullptr && original->scalar_type() == type &&
                      original->sizes() == at::IntArrayRef(shape);
    return same ? *original : torch::zeros(shape, type);
  }
  throw mtl::Error("no kind");
}

// Makes the files; an error where the input describes none.
int64_t write_files(std::string_view bytes, const std::filesystem::path& place) {
  Json json = mtl::io::parse_json(bytes);
  const int64_t which = mtl::io::json_member<int64_t>(json, "run", "input") == 1 ? 1 : 0;
  for (const char* member : {"list", "about", "tensors"})
    if (!json.contains(member)) throw mtl::Error("no \"{}\"", member);
  mtl::NamedTensors tensors;
  const RunBase& base = run_bases()[static_cast<size_t>(which)];
  for (const auto& [name, tensor] : json["tensors"].items())
    if (name != "__metadata__") tensors.insert(name, described(tensor, base.tensors.find(name)));
  Json& list = json["list"];
  std::string name = "epoch-000001.safetensors";
  if (list.is_object() && list.contains("files") && list["files"].is_array() &&
      list.contains("run") && list["run"].is_string()) {
    mtl::io::Digest digest;
    digest.update(list["run"].get<std::string>() + "\n");
    for (const Json& file : list["files"]) {
      if (!file.is_string()) continue;
      digest.update(file.get<std::string>() + "\n");
      name = file.get<std::string>();
    }
    list["digest"] = digest.text();
  }
  put(place / "checkpoint.json", mtl::io::json_text(list));
  if (name.find_first_of(std::string_view("/\0", 2)) == name.npos && name.size() < 200 &&
      name != "checkpoint.json" && !name.empty() && name != "." && name != "..")
    mtl::io::write_safetensors(place / name, tensors,
                               {{marker, mtl::io::json_text(json["about"], -1)}});
  return which;
}

}  // namespace

std::vector<std::string> checkpoint_seeds() {
  std::vector<std::string> texts;
  for (const RunBase& base : run_bases()) texts.push_back(mtl::io::json_text(base.seed, -1));
  return texts;
}

void checkpoint(std::string_view bytes) {
  const auto place = folder() / "checkpoint";
  std::filesystem::remove_all(place);
  std::filesystem::create_directories(place);
  int64_t which = 0;
  try {
    which = write_files(bytes, place);
  } catch (const mtl::Error&) {
    return;  // not such a description
  }
  reads("", [&] { train(which, place, true, 2); });
}

}  // namespace fuzz
