// The code of docs/distributed.md: a program for one process and for several.
#include <mtl/mtl.hpp>

#include <cstdio>

namespace {

mtl::TensorDataset points(int64_t rows) {
  const auto x = torch::randn({rows, 2});
  return mtl::TensorDataset({{"x", x}}, {{"sum", x.sum(1)}, {"product", x.prod(1)}});
}

mtl::HardSharing network() {
  mtl::TaskRegistry tasks;
  for (const char* name : {"sum", "product"})
    tasks.add({.name = name, .head = mtl::nn::LinearHead(16, 1), .loss = mtl::MeanSquaredError{}});
  return mtl::HardSharing(mtl::nn::MlpEncoder({.input_size = 2, .hidden_sizes = {16}}), tasks);
}

double with_trainer() {
  torch::manual_seed(0);
  auto model = network();
  mtl::BatchLoader train(points(256), {.batch_size = 64, .shuffle = true, .seed = 1});
  torch::optim::Adam adam(model->parameters(), 1e-2);
  auto processes = mtl::Processes::from_environment({.timeout = std::chrono::minutes(2)});
  mtl::Trainer trainer(model, adam, mtl::UpGrad(), {.epochs = 20, .processes = &processes});
  const auto run = trainer.fit(train);
  if (processes.is_first()) std::puts(run.brief().c_str());
  return run.history.last().train.total / run.history.at(1).train.total;
}

double with_own_loop() {
  torch::manual_seed(0);
  auto model = network();
  mtl::BatchLoader train(points(256), {.batch_size = 64});
  torch::optim::Adam adam(model->parameters(), 1e-2);
  const auto processes = mtl::Processes::from_environment();
  mtl::NashMtl combiner;
  double first = 0, last = 0;
  for (int64_t epoch = 0; epoch < 20; ++epoch) {
    mtl::Batch batch;
    for (train.start_epoch(epoch); train.next(batch);) {
      const mtl::Batch share = processes.share(batch);
      auto losses =
          processes.joined(mtl::task_losses(*model, model->forward(share.inputs), share), *model);
      adam.zero_grad();
      combiner.backward(losses, *model);
      adam.step();
      last = losses.values[0].item<double>() + losses.values[1].item<double>();
      if (first == 0) first = last;
    }
  }
  return last / first;
}

}  // namespace

int main() { return with_trainer() < 0.7 && with_own_loop() < 0.7 ? 0 : 1; }
