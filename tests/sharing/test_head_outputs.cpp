#include <cmath>

#include "error_text.hpp"
#include "mtl/data/joined_targets.hpp"
#include "way_checks.hpp"

namespace {

using mtl::Tensor;

const double no_label = std::nan("");

/// Six days: each label but that of the sky lacks some, on days of its own.
mtl::NamedTensors days() {
  const Tensor temperature = torch::tensor({1.0, 0.5, no_label, -1.0, 2.0, 0.25}, torch::kDouble),
               rain = torch::tensor({1.0, no_label, 0.0, no_label, 0.0, 1.0}, torch::kDouble),
               sky = torch::tensor({0, 2, 1, 1, -100, 0}, torch::kInt64);
  return {{"temperature", temperature}, {"rain", rain}, {"sky", sky}};
}

/// The sum of the model's losses, down by gradient descent.
void descend(mtl::Model& model, const mtl::Batch& batch) {
  model.zero_grad();
  const mtl::TaskLosses losses = mtl::task_losses(model, model.forward(batch.inputs), batch);
  torch::stack(losses.values).sum().backward();
  const torch::NoGradGuard no_grad;
  for (Tensor& parameter : model.parameters()) parameter -= 0.1 * parameter.grad();
}

/// The same by hand: an encoder and a head of plain tensors, and what they lose.
template <class LossOf>
std::vector<Tensor> by_hand(const mtl::Model& model, const Tensor& x, LossOf loss_of, int steps) {
  std::vector<Tensor> p;
  for (const Tensor& parameter : model.parameters())
    p.push_back(parameter.detach().clone().requires_grad_());
  for (int k = 0; k < steps; ++k) {
    const Tensor hidden = torch::tanh(torch::mm(x, p[0].t()) + p[1]);
    const Tensor answers = torch::mm(hidden, p[2].t()) + p[3];
    const auto gradients = torch::autograd::grad({loss_of(answers)}, p);
    const torch::NoGradGuard no_grad;
    for (size_t i = 0; i < p.size(); ++i) p[i] -= 0.1 * gradients[i];
  }
  return p;
}

void check_equal(const mtl::Model& model, const std::vector<Tensor>& parameters) {
  const auto own = model.parameters();
  REQUIRE(own.size() == parameters.size());
  for (size_t i = 0; i < own.size(); ++i) CHECK(own[i].allclose(parameters[i], 1e-12, 1e-12));
}

mtl::DerivedTasks weather() {
  return {mtl::HardSharing(
              tanh_layer(2, 4),
              {{.name = "weather", .head = mtl::nn::LinearHead(4, 5), .loss = mtl::NoLoss{}}}),
          mtl::outputs_of("weather",
                          {{.task = {.name = "temperature", .loss = mtl::MeanSquaredError{}}},
                           {.task = {.name = "rain", .loss = mtl::BinaryCrossEntropy{}}},
                           {.task = {.name = "sky", .loss = mtl::CrossEntropy{}}, .outputs = 3}})};
}

}  // namespace

TEST_CASE(
    "One head, targets joined in one loss: as a loop by hand over the labels that are there") {
  torch::manual_seed(1);
  mtl::HardSharing model(
      tanh_layer(2, 4),
      {{.name = "both", .head = mtl::nn::LinearHead(4, 2), .loss = mtl::MeanSquaredError{}}});
  model->to(torch::kDouble);
  const Tensor x = torch::randn({6, 2}, torch::kDouble);
  const mtl::NamedTensors labels = days();
  const mtl::Batch batch{{{"x", x}},
                         {{"both", mtl::joined_target({labels["temperature"], labels["rain"]})}}};
  const auto hand = by_hand(
      *model, x,
      [&](const Tensor& answers) {
        Tensor sum = torch::zeros({}, torch::kDouble);
        int64_t count = 0;
        for (int64_t row = 0; row < 6; ++row)
          for (int64_t column = 0; column < 2; ++column) {
            const Tensor label = labels[column == 0 ? "temperature" : "rain"][row];
            if (std::isnan(label.item<double>())) continue;
            sum = sum + (answers[row][column] - label).square();
            ++count;
          }
        return sum / count;
      },
      5);
  for (int k = 0; k < 5; ++k) descend(*model, batch);
  check_equal(*model, hand);
}

TEST_CASE("outputs_of: tasks that read one head, each its own labels, as a loop by hand") {
  torch::manual_seed(2);
  mtl::DerivedTasks model = weather();
  model->to(torch::kDouble);
  const Tensor x = torch::randn({6, 2}, torch::kDouble);
  const mtl::NamedTensors labels = days();
  const mtl::Batch batch{{{"x", x}}, labels};
  const auto hand = by_hand(
      *model, x,
      [&](const Tensor& answers) {
        const Tensor warm = torch::tensor({0, 1, 3, 4, 5}), wet = torch::tensor({0, 2, 4, 5}),
                     seen = torch::tensor({0, 1, 2, 3, 5});
        const Tensor error = answers.index({warm, 0}) - labels["temperature"].index_select(0, warm);
        const Tensor yes = torch::sigmoid(answers.index({wet, 1}));
        const Tensor rain = labels["rain"].index_select(0, wet);
        const Tensor chances = answers.index_select(0, seen).slice(1, 2).softmax(1);
        const Tensor sky = labels["sky"].index_select(0, seen).unsqueeze(1);
        return error.square().mean() - (rain * yes.log() + (1 - rain) * (1 - yes).log()).mean() -
               chances.gather(1, sky).log().mean();
      },
      5);
  for (int k = 0; k < 5; ++k) descend(*model, batch);
  check_equal(*model, hand);
}

TEST_CASE("outputs_of: a combiner sees a loss a task, and the head among what they share") {
  auto model = weather();
  const mtl::Batch batch{{{"x", torch::randn({6, 2})}}, days()};
  const auto losses = mtl::task_losses(*model, model->forward(batch.inputs), batch);
  CHECK(losses.names == std::vector<std::string>{"temperature", "rain", "sky"});
  CHECK(model->shared_parameters().size() == 4);
  CHECK(model->task_parameters("rain").empty());
}

TEST_CASE("outputs_of: a head of another size, and tasks that read nothing, are named") {
  const auto reading = [](std::vector<mtl::HeadOutputs> tasks) {
    return error_text([&] {
      mtl::DerivedTasks model(mtl::HardSharing(tanh_layer(2, 4), tasks_named({"weather"})),
                              mtl::outputs_of("weather", tasks));
      model->forward({{"x", torch::randn({3, 2})}});
    });
  };
  const mtl::Task task{.name = "rain", .loss = mtl::BinaryCrossEntropy{}};
  CHECK(contains(reading({{.task = task, .outputs = 7}}), "have [N, 7]"));
  CHECK(contains(reading({{.task = task, .outputs = 0}}), "\"rain\" reads 0"));
  CHECK(contains(reading({}), "no task reads them"));
}
