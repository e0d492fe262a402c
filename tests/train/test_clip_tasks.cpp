#include "catch.hpp"
#include "error_text.hpp"
#include "two_task_problem.hpp"

// Each task's gradient clipped before the combiner sees it.

namespace {

/// One step of plain SGD by the trainer.
torch::Tensor after_one_step(double max_task_grad_norm) {
  auto model = two_task_model();
  torch::optim::SGD sgd(model->parameters(), 0.1);
  mtl::BatchLoader train(weather_like(16, 1), {.batch_size = 16});
  mtl::Trainer(model, sgd, mtl::Mgda(), {.epochs = 1, .max_task_grad_norm = max_task_grad_norm})
      .fit(train);
  return flat(model);
}

}  // namespace

TEST_CASE("Trainer: tasks' gradients are clipped over the shared parameters, then combined") {
  auto model = two_task_model();
  const auto data = weather_like(16, 1).get(torch::arange(16));
  const auto losses = mtl::task_losses(*model, model->forward(data.inputs), data);
  const auto shared = model->shared_parameters();
  auto rows = mtl::task_gradients(losses, shared);
  const Eigen::VectorXd lengths = mtl::norms(rows);
  const double most = lengths.mean();  // one is longer, one is shorter
  for (auto& of_parameter : rows)
    for (size_t t = 0; t < 2; ++t)
      of_parameter[t] =
          of_parameter[t] * std::min(1.0, most / lengths[static_cast<Eigen::Index>(t)]);
  mtl::Mgda mgda;
  const Eigen::VectorXd weights = mgda.solve(mtl::gramian(rows));
  const auto update = mtl::weighted_sum(rows, weights);
  for (size_t t = 0; t < 2; ++t) {  // Mgda's heads: weighted, not clipped
    const auto own = model->task_parameters(model->tasks()[static_cast<int64_t>(t)].name);
    const auto gradients = torch::autograd::grad({losses.values[t]}, own, {}, true);
    const torch::NoGradGuard no_grad;
    for (size_t p = 0; p < own.size(); ++p)
      torch::Tensor(own[p]).sub_(gradients[p] * (0.1 * weights[static_cast<Eigen::Index>(t)]));
  }
  {
    const torch::NoGradGuard no_grad;
    for (size_t p = 0; p < shared.size(); ++p) torch::Tensor(shared[p]).sub_(update[p] * 0.1);
  }
  CHECK(torch::allclose(after_one_step(most), flat(model), 1e-5, 1e-6));
  CHECK_FALSE(torch::allclose(after_one_step(0), flat(model), 1e-5, 1e-6));
  CHECK(torch::allclose(after_one_step(1e9), after_one_step(0), 1e-5, 1e-6));
}

TEST_CASE("Trainer: a faulty batch is explained where tasks' gradients are clipped, too") {
  auto batches = batches_of(weather_like(16, 1));
  batches[1].inputs["x"][3][0] = std::nan("");
  ListLoader train(batches);
  auto model = two_task_model();
  torch::optim::SGD sgd(model->parameters(), 0.1);
  const std::string text = error_text([&] {
    mtl::Trainer(model, sgd, mtl::UpGrad(), {.epochs = 1, .max_task_grad_norm = 1}).fit(train);
  });
  CHECK(contains(text, "input \"x\" holds NaN or infinity in row 3"));
  CHECK(contains(error_text([] { mtl::TrainerOptions{.max_task_grad_norm = -1}.check_options(); }),
                 "max_task_grad_norm -1"));
}

TEST_CASE("Trainer: tasks' gradients are clipped where an embedding's are sparse, as where not") {
  const auto after_training = [](bool sparse) {
    torch::manual_seed(1);
    mtl::TaskRegistry tasks;
    for (const auto* name : {"a", "b"})
      tasks.add({.name = name, .head = mtl::nn::LinearHead(4, 1), .loss = squared_error});
    mtl::HardSharing model(torch::nn::Sequential(torch::nn::Embedding(
                               torch::nn::EmbeddingOptions(5, 4).sparse(sparse))),
                           tasks);
    torch::optim::SGD sgd(model->parameters(), 0.1);
    const auto words = torch::tensor({1, 1, 2, 3, 3, 0}, torch::kLong);  // some of them twice
    mtl::BatchLoader loader(
        mtl::TensorDataset({{"x", words}}, {{"a", words * 2.0}, {"b", words * -1.0}}));
    mtl::Trainer(model, sgd, mtl::Sum(), {.epochs = 2, .max_task_grad_norm = 0.1}).fit(loader);
    return flat(model);
  };
  CHECK(after_training(true).allclose(after_training(false), 1e-6, 1e-7));
}
