// The code of docs/tutorial.md: LibTorch from nothing, then two tasks.
#include <mtl/mtl.hpp>

#include <cstdio>
#include <filesystem>
#include <iostream>

int main() {
  torch::manual_seed(0);
  torch::Tensor a = torch::tensor({{1.0, 2.0}, {3.0, 4.0}});  // [2, 2], float
  torch::Tensor b = a * 10 + 1;                               // element by element
  torch::Tensor column = a.select(1, 0);                      // [2]: 1 3
  torch::Tensor product = torch::matmul(a, b);                // [2, 2]
  double total = product.sum().item<double>();                // a number of C++
  std::cout << column << "\n" << total << "\n";

  torch::Tensor w = torch::tensor(2.0, torch::requires_grad());
  torch::Tensor loss = (w * 3 - 12).square();
  loss.backward();
  std::printf("slope at w = 2: %g\n", w.grad().item<double>());  // 2 * 3 * (2 * 3 - 12) = -36

  // 600 houses: area, rooms, age.
  const int64_t houses = 600;
  const torch::Tensor area = 40 + 160 * torch::rand({houses});
  const torch::Tensor rooms = (area / 30).round();
  const torch::Tensor age = 80 * torch::rand({houses});
  const torch::Tensor price = 3 * area - age + 10 * torch::randn({houses});  // thousands
  const torch::Tensor sold = (price + 30 * torch::randn({houses}) < 300).to(torch::kLong);

  mtl::TensorDataset data({{"house", torch::stack({area / 200, rooms / 7, age / 80}, 1)}},
                          {{"price", price / 600}, {"sold", sold}});
  const auto parts = mtl::random_split(data.size(), {0.8, 0.2}, 0);
  mtl::BatchLoader train(data.rows(parts[0]), {.batch_size = 32, .shuffle = true});
  mtl::BatchLoader valid(data.rows(parts[1]));

  mtl::TaskRegistry tasks;
  tasks.add({.name = "price",
             .head = mtl::nn::LinearHead(16, 1),
             .loss = mtl::MeanSquaredError{},
             .metrics = {mtl::Mae{}}});
  tasks.add({.name = "sold",
             .head = mtl::nn::LinearHead(16, 2),
             .loss = mtl::CrossEntropy{},
             .metrics = {mtl::Accuracy{}}});

  mtl::HardSharing model(mtl::nn::MlpEncoder({.input_size = 3, .hidden_sizes = {16}}), tasks);

  torch::optim::Adam adam(model->parameters(), 1e-2);
  mtl::KendallUncertainty combiner(tasks);
  mtl::Trainer trainer(model, adam, combiner, {.epochs = 30});
  const mtl::TrainingRun run =
      trainer.fit(train, valid, mtl::EarlyStopping{.patience = 5}, mtl::BestModel{});
  std::puts(run.report().c_str());
  std::printf("price off by %.0f thousand, sold or not right in %.0f %%\n",
              600 * run.best().valid("price", "mae"), 100 * run.best().valid("sold", "accuracy"));

  const auto file = std::filesystem::temp_directory_path() / "mtl-docs-houses.safetensors";
  mtl::save(model, file);

  const torch::Tensor house = torch::tensor({{120.0f / 200, 4.0f / 7, 10.0f / 80}});  // [1, 3]
  mtl::load(model, file);
  model->eval();
  torch::NoGradGuard no_grad;
  const mtl::NamedTensors answer = model->forward({{"house", house}});
  std::printf("price %.0f thousand, sold with probability %.2f\n",
              600 * answer["price"].item<float>(), answer["sold"].softmax(1)[0][1].item<float>());

  std::filesystem::remove(file);
  return run.best().valid("price", "mae") < 0.1 && run.best().valid("sold", "accuracy") > 0.7 ? 0
                                                                                              : 1;
}
