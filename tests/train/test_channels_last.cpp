#include <vector>

#include "catch.hpp"
#include "temporary_folder.hpp"
#include "two_task_problem.hpp"

namespace {

mtl::TensorDataset pictures(int64_t count) {
  auto generator = mtl::make_generator(4);
  const auto x = torch::randn({count, 3, 8, 8}, generator);
  return mtl::TensorDataset(
      {{"x", x}, {"age", x.mean({2, 3})}},
      {{"temp", x.mean({1, 2, 3})}, {"sky", (x.select(1, 0).mean({1, 2}) > 0).to(torch::kLong)}});
}

/// Notes how its input lies, and takes the pictures on to a small convolutional net.
struct LayoutImpl : torch::nn::Module {
  mtl::nn::CnnEncoder cnn{
      register_module("cnn", mtl::nn::CnnEncoder({.channels = {8, 8}, .stride = 1}))};
  std::vector<bool> training;
  torch::Tensor forward(const torch::Tensor& x) {
    if (is_training()) training.push_back(x.is_contiguous(at::MemoryFormat::ChannelsLast));
    return cnn->forward(x);
  }
};
TORCH_MODULE(Layout);

struct PictureRun {
  torch::Tensor weights;
  double loss;
};

PictureRun picture_run(bool channels_last, int64_t epochs, const std::string& combiner_text,
                       Layout* seen = nullptr, const std::filesystem::path& folder = {}) {
  torch::manual_seed(3);
  Layout encoder;
  auto model = mtl::HardSharing(encoder, weather_tasks(8), "x");
  torch::optim::Adam adam(model->parameters(), 0.001);
  const auto combiner = mtl::make_combiner(combiner_text, 2);
  mtl::BatchLoader train(pictures(32), {.batch_size = 8, .shuffle = true}), valid(pictures(16));
  mtl::TrainerOptions options{.epochs = epochs, .channels_last = channels_last};
  if (!folder.empty()) options.checkpoint = {folder, true};
  mtl::Trainer trainer(model, adam, *combiner, options);
  const auto run = trainer.fit(train, valid);
  if (seen != nullptr) *seen = encoder;
  return {flat(model), run.history.last().valid.total};
}

}  // namespace

TEST_CASE("channels_last: another layout, the same training") {
  for (const auto* name : {"sum", "upgrad", "pcgrad"}) {
    const auto first = picture_run(false, 2, name), last = picture_run(true, 2, name);
    CHECK(last.loss == Approx(first.loss).epsilon(1e-3));
    CHECK(torch::allclose(last.weights, first.weights, 1e-2, 2e-3));
  }
}

TEST_CASE("channels_last: pictures and weights of convolutions lie so") {
  Layout seen;
  picture_run(true, 1, "sum", &seen);
  CHECK(seen->training == std::vector<bool>(4, true));
  int64_t convolutions = 0;
  for (const auto& parameter : seen->parameters()) {
    if (parameter.dim() != 4) continue;
    ++convolutions;
    CHECK(parameter.is_contiguous(at::MemoryFormat::ChannelsLast));
  }
  CHECK(convolutions == 2);
  picture_run(false, 1, "sum", &seen);
  CHECK(seen->training == std::vector<bool>(4, false));
}

TEST_CASE("channels_last: a resumed run ends with the same bits") {
  const TemporaryFolder folder;
  const auto whole = picture_run(true, 3, "upgrad", nullptr, folder / "whole");
  picture_run(true, 1, "upgrad", nullptr, folder / "parts");
  CHECK(picture_run(true, 3, "upgrad", nullptr, folder / "parts").weights.equal(whole.weights));
}
