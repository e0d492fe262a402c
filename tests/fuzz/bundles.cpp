#include <torch/torch.h>

#include <nlohmann/json.hpp>

#include "deploy/every_way.hpp"
#include "mtl/core/random.hpp"
#include "mtl/deploy/bundle.hpp"
#include "mtl/deploy/predictor.hpp"
#include "mtl/io/digest.hpp"
#include "mtl/io/file.hpp"
#include "mtl/io/json.hpp"
#include "target.hpp"

// Bundles. An input is a "bundle.json" without digests, to which they are added: a stranger can do
// that as well. Its member "base" says whose weights lie beside it.

namespace fuzz {
namespace {

using mtl::io::Json;

std::string digest_of(std::string_view bytes) {
  mtl::io::Digest digest;
  digest.update(bytes);
  return digest.text();
}

struct BundleBase {
  Json json;
  std::string weights;
};

/// A bundle of each way of sharing and each encoder.
const std::vector<BundleBase>& bundle_bases() {
  static const std::vector<BundleBase> all = [] {
    const mtl::KeepGenerator keep;
    std::vector<BundleBase> made;
    auto ways = ways_with_encoders();
    for (auto& others : {ways_of_sharing(), ways_around()})
      ways.insert(ways.end(), others.begin(), others.end());
    for (const WayCase& way : ways) {
      const auto model = way.make();
      settle_weights(*model, 1);
      const torch::Tensor rows = torch::rand({9, 3}, torch::kDouble);
      mtl::save_bundle(*model, folder() / "base",
                       {.inputs = {{"x", {"p", "q", "r"}, mtl::StandardScaler(rows)}},
                        .tasks = {{.task = "a", .scaler = mtl::MinMaxScaler(rows.select(1, 0))},
                                  {.task = "b", .labels = {"no", "yes"}}},
                        .metrics = {{"R2", 0.9}},
                        .licence = "CC0-1.0"});
      made.push_back({mtl::io::read_json(folder() / "base" / "bundle.json"),
                      mtl::io::read_file(folder() / "base" / "weights.safetensors")});
      made.back().json.erase("digest");
      made.back().json["base"] = made.size() - 1;
    }
    return made;
  }();
  return all;
}

/// The text of "bundle.json" with its digests right, where it is an object.
std::string signed_text(std::string_view bytes, const std::string& weights) {
  Json json;
  try {
    json = mtl::io::parse_json(bytes);
  } catch (const mtl::Error&) {
    return std::string(bytes);
  }
  if (!json.is_object()) return std::string(bytes);
  if (json.contains("weights") && json["weights"].is_object())
    json["weights"]["digest"] = digest_of(weights);
  json.erase("digest");
  json["digest"] = digest_of(mtl::io::json_text(json, -1));
  return mtl::io::json_text(json);
}

size_t base_of(std::string_view bytes) {
  try {
    const Json json = mtl::io::parse_json(bytes);
    return static_cast<size_t>(mtl::io::json_integer(json.at("base"), "base"));
  } catch (const std::exception&) {
    return 0;
  }
}

}  // namespace

std::vector<std::string> bundle_seeds() {
  std::vector<std::string> texts;
  for (const BundleBase& base : bundle_bases()) texts.push_back(mtl::io::json_text(base.json));
  return texts;
}

void bundle(std::string_view bytes) {
  const auto place = folder() / "bundle";
  std::filesystem::create_directories(place);
  const BundleBase& base = bundle_bases()[base_of(bytes) % bundle_bases().size()];
  put(place / "bundle.json", signed_text(bytes, base.weights));
  put(place / "weights.safetensors", base.weights);
  reads("bundle", [&] {
    const mtl::Bundle read = mtl::load_bundle(place);
    require(read.model != nullptr && !read.model->is_training(), "a model that is not ready");
    require(read.notes.tasks.size() == static_cast<size_t>(read.model->tasks().size()),
            "notes of other tasks");
  });
}

}  // namespace fuzz
