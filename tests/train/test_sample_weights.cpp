#include "catch.hpp"
#include "two_task_problem.hpp"

namespace {

torch::Tensor trained(const mtl::TensorDataset& data) {
  auto model = normed_model();
  torch::optim::SGD sgd(model->parameters(), 0.1);
  torch::manual_seed(5);
  mtl::Trainer(model, sgd, mtl::Sum(), {.epochs = 3})
      .fit(mtl::BatchLoader(data, {.batch_size = 16}));
  return flat(model);
}

}  // namespace

TEST_CASE("Trainer: rows of weight 0 reach neither gradients nor running statistics") {
  const auto data = weather_like(16, 1);
  auto x = data.inputs()["x"].clone();
  auto weights = torch::ones({16});
  for (const int64_t row : {2, 11}) {
    x[row].fill_(std::nan(""));
    weights[row] = 0;
  }
  const auto rest = weights.nonzero().squeeze(1);
  const auto left_out = trained(mtl::TensorDataset({{"x", x}}, data.targets(), weights));
  CHECK(left_out.isfinite().all().item<bool>());
  CHECK(torch::allclose(left_out, trained(data.rows(rest)), 1e-5, 1e-6));
}
