#include "catch.hpp"
#include "error_text.hpp"
#include "two_task_problem.hpp"

TEST_CASE("predict: all predictions and targets in the loader's order; holder or model") {
  auto model = two_task_model();
  model->train();
  const auto data = weather_like(20, 1);
  const auto found = mtl::predict(model, mtl::BatchLoader(data, {.batch_size = 8}));
  CHECK(model->is_training());
  CHECK(found.predictions["temp"].sizes() == torch::IntArrayRef({20, 1}));
  CHECK(found.targets["sky"].equal(data.targets()["sky"]));
  torch::NoGradGuard no_grad;
  CHECK(found.predictions["sky"].allclose(model->forward(data.inputs())["sky"]));
  CHECK(mtl::predict(*model, mtl::BatchLoader(data))
            .predictions["temp"]
            .allclose(found.predictions["temp"]));
}

TEST_CASE("predict: rows of a batch without a target are missing labels") {
  auto batches = batches_of(weather_like(24, 1));
  const auto sky = batches[1].targets["sky"];
  batches[1].targets = {{"temp", batches[1].targets["temp"]}};
  batches[2].targets = {{"sky", sky}};
  auto model = two_task_model();
  const auto targets = mtl::predict(model, ListLoader(batches)).targets;
  CHECK(targets["sky"].slice(0, 8, 16).eq(mtl::missing_class).all().item<bool>());
  CHECK(targets["sky"].slice(0, 16).equal(sky));
  CHECK(targets["temp"].slice(0, 16).isnan().all().item<bool>());
}

TEST_CASE("predict: an input that the model does not take is an error that names it") {
  auto model = two_task_model();
  const auto wide = torch::randn({8, 7});
  CHECK(contains(error_text([&] {
                   mtl::predict(model, mtl::BatchLoader(mtl::TensorDataset({{"x", wide}})));
                 }),
                 "the encoder does not take input \"x\" [8, 7] of type Float"));
}

TEST_CASE("predict: targets of two types, batch by batch: what is missing stays missing") {
  struct TwoTypes {
    int64_t at = 0;
    int64_t batches() const { return 2; }
    int64_t samples() const { return 4; }
    void start_epoch(int64_t) { at = 0; }
    bool next(mtl::Batch& batch) {
      if (at == 2) return false;
      const auto labels =
          at++ == 0 ? torch::tensor({1, -100}, torch::kLong) : torch::tensor({0.5, std::nan("")});
      batch = {{{"x", torch::zeros({2, 5})}}, {{"temp", labels}}};
      return true;
    }
  };
  auto model = two_task_model();
  TwoTypes loader;
  const auto targets = mtl::predict(model, loader).targets["temp"];
  CHECK(targets.isnan().equal(torch::tensor({false, true, false, true})));
  CHECK(targets.nansum().item<double>() == 1.5);
}
