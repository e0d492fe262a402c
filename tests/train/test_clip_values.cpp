#include <algorithm>

#include "catch.hpp"
#include "complex_layer.hpp"
#include "error_text.hpp"

TEST_CASE("ClipValues: no element of the gradient is beyond the limit") {
  struct Largest {
    double largest = 0;
    void on_gradients(mtl::TrainState& state) {
      for (const auto& parameter : state.model.parameters())
        largest = std::max(largest, parameter.grad().abs().max().item<double>());
    }
  };
  const auto fit = [](double limit, double max_norm) {
    auto model = two_task_model();
    torch::optim::SGD sgd(model->parameters(), 0.01);
    mtl::BatchLoader train(weather_like(32, 1), {.batch_size = 8});
    Largest largest;
    mtl::Trainer trainer(model, sgd, mtl::Sum(), {.epochs = 1, .max_grad_norm = max_norm});
    trainer.fit(train, mtl::ClipValues{.limit = limit}, largest);
    return largest.largest;
  };
  CHECK(fit(1e9, 0) > 0.1);
  CHECK(fit(0.1, 0) == Approx(0.1));
  CHECK(fit(0.1, 1e-3) < 1e-3);  // after the clipping by norm
  CHECK(contains(error_text([&] { fit(0, 0); }), "found limit 0"));
}

TEST_CASE("ClipValues: of complex elements both parts are within the limit") {
  struct LargestPart {
    double largest = 0;
    void on_gradients(mtl::TrainState& state) {
      const auto gradient = state.model.named_parameters()["encoder.weight"].grad();
      largest = std::max(largest, torch::view_as_real(gradient).abs().max().item<double>());
    }
  };
  LargestPart before, after;
  auto model = complex_model();
  complex_run(model, {.epochs = 1}, before, mtl::ClipValues{.limit = 0.05}, after);
  CHECK(before.largest > 0.05);
  CHECK(after.largest == Approx(0.05));
}
