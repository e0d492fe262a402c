#include "multi_mnist.hpp"

#include "error_text.hpp"
#include "temporary_folder.hpp"

using namespace mtl;

namespace {

void write_gz(const std::filesystem::path& path, const std::string& bytes) {
  const gzFile file = gzopen(path.c_str(), "wb");
  REQUIRE(gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size())) ==
          static_cast<int>(bytes.size()));
  gzclose(file);
}

}  // namespace

TEST_CASE("read_idx: sizes are big-endian, values follow") {
  const TemporaryFolder folder;
  const auto path = folder.path() / "tiny.gz";
  write_gz(path, std::string("\0\0\x08\x02\0\0\0\x02\0\0\0\x03", 12) + "abcdef");
  const Tensor values = read_idx(path);
  CHECK(values.sizes() == at::IntArrayRef({2, 3}));
  CHECK(values[1][2].item<int>() == 'f');
  write_gz(path, std::string("\0\0\x08\x01\0\0\0\x09", 8) + "abc");
  CHECK(contains(error_text([&] { read_idx(path); }), "6 bytes too early"));
  write_gz(path, "no idx file at all");
  CHECK(contains(error_text([&] { read_idx(path); }), "not an idx file"));
  CHECK(contains(error_text([&] { read_idx(folder.path() / "absent"); }), "cannot be opened"));
}

TEST_CASE("overlay: the left digit is above left, a drawn partner below right") {
  Tensor digits = torch::zeros({3, 28, 28}, torch::kByte);
  for (int n = 0; n < 3; ++n) digits[n].fill_(50 * (n + 1));
  const Tensor labels = torch::tensor({4, 5, 6}, torch::kByte);
  const TensorDataset data = overlay(digits, labels, 1);
  const Tensor pictures = data.inputs()["picture"];
  CHECK(pictures.sizes() == at::IntArrayRef({3, 1, 28, 28}));
  CHECK(data.targets()["left"].equal(torch::tensor({4, 5, 6})));
  for (int n = 0; n < 3; ++n) {
    const auto right = data.targets()["right"][n].item<int64_t>();
    CHECK(pictures[n][0][0][0].item<float>() == Approx(50 * (n + 1) / 255.0));
    CHECK(pictures[n][0][27][27].item<float>() == Approx(50 * (right - 3) / 255.0));
    CHECK(pictures[n][0][14][14].item<float>() ==
          Approx(50 * std::max<double>(n + 1, right - 3) / 255.0));
    CHECK(pictures[n][0][0][27].item<float>() == 0);
  }
  CHECK(overlay(digits, labels, 1).inputs()["picture"].equal(pictures));
}

TEST_CASE("Multi-MNIST: both digits are learned from the real pictures") {
  const std::filesystem::path folder = MTL_SOURCE_DIR "/../shared/data/mnist";
  if (!std::filesystem::exists(folder)) {
    WARN("skipped: MNIST is not at " << folder.string());
    return;
  }
  torch::manual_seed(0);
  const TensorDataset data = multi_mnist(folder, "train", 2000, 1);
  CHECK(data.inputs()["picture"].sizes() == at::IntArrayRef({2000, 1, 28, 28}));
  CHECK(data.targets()["right"].max().item<int64_t>() == 9);
  HardSharing model = left_and_right();
  torch::optim::Adam adam(model->parameters(), 2e-3);
  Sum sum;
  BatchLoader loader(data, {.batch_size = 100, .shuffle = true});
  const TrainingRun run = Trainer(model, adam, sum, {.epochs = 3}).fit(loader);
  const auto& losses = run.history.epochs;
  CHECK(losses.back().train.losses[0] < 0.7 * losses.front().train.losses[0]);
  CHECK(losses.back().train.losses[1] < 0.8 * losses.front().train.losses[1]);
}
