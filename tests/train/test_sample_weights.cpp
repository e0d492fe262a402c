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

TEST_CASE("Trainer: a part of a step whose rows all have weight 0 is none") {
  const auto trained_by = [](const char* combiner, std::vector<mtl::Batch> batches,
                             int64_t accumulate) {
    auto model = normed_model();
    torch::optim::SGD sgd(model->parameters(), 0.01);
    ListLoader loader(std::move(batches));
    torch::manual_seed(5);
    mtl::Trainer trainer(model, sgd, mtl::make_combiner(combiner),
                         {.epochs = 2, .accumulate = accumulate});
    trainer.fit(loader);
    return flat(model);
  };
  auto batches = batches_of(weather_like(72, 1));
  for (const size_t at : {1, 4}) {
    batches[at].inputs["x"] = torch::full({8, 5}, std::nan(""));
    batches[at].sample_weights = torch::zeros({8});
  }
  SECTION("of several batches a step") {
    for (const char* combiner : {"sum", "mgda", "famo", "auto_lambda", "forum"}) {
      INFO(combiner);
      CHECK(trained_by(combiner, batches, 3).isfinite().all().item<bool>());
    }
    const std::vector<mtl::Batch> with(batches.begin(), batches.begin() + 2), alone{batches[0]};
    CHECK(trained_by("sum", with, 2).equal(trained_by("sum", alone, 1)));
  }
  SECTION("of a method that looks at further batches") {
    for (const char* combiner : {"modo", "sdmgrad"}) {
      INFO(combiner);
      CHECK(trained_by(combiner, batches, 1).isfinite().all().item<bool>());
    }
  }
}
