#include <ATen/autocast_mode.h>

#include <cmath>
#include <string>
#include <vector>

#include "catch.hpp"
#include "two_task_problem.hpp"

// bfloat16 in the forward passes of a training.

namespace {

/// Notes in which type it was run.
struct TypesImpl : torch::nn::Module {
  torch::nn::Linear line{register_module("line", torch::nn::Linear(5, 8))};
  std::vector<torch::ScalarType> training, evaluating;
  torch::Tensor forward(const torch::Tensor& x) {
    const auto y = line(x);
    (is_training() ? training : evaluating).push_back(y.scalar_type());
    return y.tanh();
  }
};
TORCH_MODULE(Types);

double final_loss(mtl::Arithmetic arithmetic, const std::string& combiner_text,
                  mtl::HardSharing model, int64_t accumulate = 1) {
  torch::optim::Adam adam(model->parameters(), 0.02);
  const auto combiner = mtl::make_combiner(combiner_text, 2);
  mtl::BatchLoader train(weather_like(160, 1), {.batch_size = 16, .shuffle = true});
  mtl::BatchLoader valid(weather_like(64, 2));
  mtl::Trainer trainer(model, adam, *combiner,
                       {.epochs = 8, .accumulate = accumulate, .arithmetic = arithmetic});
  const auto run = trainer.fit(train, valid);
  for (const auto& parameter : model->parameters()) {
    CHECK(parameter.scalar_type() == torch::kFloat);
    CHECK(parameter.grad().scalar_type() == torch::kFloat);
  }
  return run.history.last().valid("temp") + run.history.last().valid("sky");
}

}  // namespace

TEST_CASE("arithmetic: bfloat16 learns what float32 learns, with every kind of combiner") {
  for (const auto* name : {"sum", "kendall", "famo", "gradnorm", "mgda", "pcgrad", "nash",
                           "upgrad:at=representation", "graddrop", "auto_lambda"}) {
    INFO(name);
    const double exact = final_loss(mtl::Arithmetic::float32, name, two_task_model());
    const double rough = final_loss(mtl::Arithmetic::bfloat16, name, two_task_model());
    CHECK(rough != exact);
    CHECK(rough == Approx(exact).epsilon(0.15));
  }
  CHECK(final_loss(mtl::Arithmetic::bfloat16, "upgrad", two_task_model(), 2) ==
        Approx(final_loss(mtl::Arithmetic::float32, "upgrad", two_task_model(), 2)).epsilon(0.15));
}

TEST_CASE("arithmetic: the training computes in it, the validation in float32, and none stays") {
  Types encoder;
  torch::manual_seed(3);
  final_loss(mtl::Arithmetic::bfloat16, "sum", mtl::HardSharing(encoder, weather_tasks(8)));
  CHECK(encoder->training == std::vector<torch::ScalarType>(80, torch::kBFloat16));
  CHECK(encoder->evaluating == std::vector<torch::ScalarType>(16, torch::kFloat));
  CHECK(torch::ones({2, 2}).mm(torch::ones({2, 2})).scalar_type() == torch::kFloat);
}

TEST_CASE("arithmetic: recurrent encoders take it") {
  const auto sequences = [](int64_t rows, uint64_t seed) {
    const auto data = weather_like(rows, seed);
    return mtl::BatchLoader(
        mtl::TensorDataset({{"x", data.inputs()["x"].unsqueeze(1).expand({rows, 3, 5}).clone()}},
                           data.targets()),
        {.batch_size = 16});
  };
  const auto loss = [&](mtl::Encoder encoder, mtl::Arithmetic arithmetic) {
    auto model = mtl::HardSharing(std::move(encoder), weather_tasks(8));
    torch::optim::Adam adam(model->parameters(), 0.02);
    auto train = sequences(96, 1), valid = sequences(32, 2);
    mtl::Trainer trainer(model, adam, mtl::UpGrad(), {.epochs = 4, .arithmetic = arithmetic});
    return trainer.fit(train, valid).history.last().valid.total;
  };
  const auto lstm = [] {
    torch::manual_seed(3);
    return mtl::nn::LstmEncoder({.input_size = 5, .hidden_size = 8, .layers = 2});
  };
  const auto gru = [] {
    torch::manual_seed(3);
    return mtl::nn::GruEncoder({.input_size = 5, .hidden_size = 8});
  };
  CHECK(loss(lstm(), mtl::Arithmetic::bfloat16) ==
        Approx(loss(lstm(), mtl::Arithmetic::float32)).epsilon(0.1));
  CHECK(loss(gru(), mtl::Arithmetic::bfloat16) ==
        Approx(loss(gru(), mtl::Arithmetic::float32)).epsilon(0.1));
}
