// The code of docs/models.md.
#include <mtl/mtl.hpp>

#include <cstdio>
#include <filesystem>

/// An encoder of one's own: any torch module with forward(Tensor).
struct TwoLayersImpl : torch::nn::Module {
  struct Options {
    int64_t input_size, width;
  };
  explicit TwoLayersImpl(Options given)
      : options_(given),
        first(register_module("first", torch::nn::Linear(given.input_size, given.width))),
        norm(register_module("norm", torch::nn::BatchNorm1d(given.width))),
        second(register_module("second", torch::nn::Linear(given.width, given.width))) {}
  torch::Tensor forward(const torch::Tensor& x) {
    return second->forward(norm->forward(first->forward(x).relu())).relu();
  }
  Options options() const { return options_; }  // from which mtl::clone makes it again

 private:
  Options options_;

 public:
  torch::nn::Linear first;
  torch::nn::BatchNorm1d norm;
  torch::nn::Linear second;
};
TORCH_MODULE(TwoLayers);

/// A model of one's own: two encoders, one a named input, and heads on both outputs.
struct TwoInputsImpl : mtl::Model {
  TwoInputsImpl(mtl::Encoder left, mtl::Encoder right, mtl::TaskRegistry tasks)
      : Model(std::move(tasks)), left_(std::move(left)), right_(std::move(right)) {
    register_part("left", left_);
    register_part("right", right_);
    register_heads();
  }
  mtl::NamedTensors forward(const mtl::NamedTensors& inputs) override {
    representation_ = torch::cat({encode(left_, inputs, "left", "the left encoder"),
                                  encode(right_, inputs, "right", "the right encoder")},
                                 1);
    mtl::NamedTensors predictions;
    for (const mtl::Task& task : tasks())
      predictions.insert(task.name, answer(task, representation_));
    return predictions;
  }
  torch::Tensor representation() const override { return representation_; }

 protected:
  std::shared_ptr<Model> make_again() const override {  // for mtl::clone
    return std::make_shared<TwoInputsImpl>(mtl::clone(left_), mtl::clone(right_),
                                           mtl::clone(tasks()));
  }

 private:
  mtl::Encoder left_, right_;
  torch::Tensor representation_;
};
struct TwoInputs : mtl::ModelHolder<TwoInputsImpl> {
  using ModelHolder::ModelHolder;
};

/// Encoders and tasks are made anew for each model.
mtl::TaskRegistry make_tasks(int64_t width) {
  return {{.name = "sum", .head = mtl::nn::LinearHead(width, 1), .loss = mtl::MeanSquaredError{}},
          {.name = "sign", .head = mtl::nn::LinearHead(width, 2), .loss = mtl::CrossEntropy{}}};
}

mtl::TensorDataset make_data() {
  const auto x = torch::randn({256, 4});
  return mtl::TensorDataset({{"x", x}},
                            {{"sum", x.sum(1)}, {"sign", (x.select(1, 0) > 0).to(torch::kLong)}});
}

/// The loop that one has, with a combiner in place of the sum.
double own_loop(const torch::Tensor& x, const torch::Tensor& sum, const torch::Tensor& sign) {
  torch::nn::Sequential encoder(torch::nn::Linear(4, 16), torch::nn::ReLU());
  torch::nn::Linear sum_head(16, 1), sign_head(16, 2);
  std::vector<torch::Tensor> all = encoder->parameters();
  for (const auto& head : {sum_head, sign_head})
    for (const auto& parameter : head->parameters()) all.push_back(parameter);
  torch::optim::Adam adam(all, 1e-2);

  mtl::UpGrad combiner;
  double last = 0;
  for (int step = 0; step < 50; ++step) {
    adam.zero_grad();
    const auto representation = encoder->forward(x);
    const auto l1 = torch::mse_loss(sum_head->forward(representation).squeeze(1), sum);
    const auto l2 = torch::nn::functional::cross_entropy(sign_head->forward(representation), sign);
    // was: (l1 + l2).backward();
    combiner.backward(mtl::task_losses({l1, l2}),
                      {.shared = encoder->parameters(),
                       .by_task = {sum_head->parameters(), sign_head->parameters()}});
    adam.step();
    last = l1.item<double>() + l2.item<double>();
  }
  return last;
}

int main() {
  torch::manual_seed(0);
  const auto data = make_data();
  const auto rows = [&](int64_t first, int64_t end) {
    return mtl::BatchLoader(data.rows(torch::arange(first, end)), {.batch_size = 32});
  };
  auto train = rows(0, 192), valid = rows(192, 256);
  const auto folder = std::filesystem::temp_directory_path() / "mtl-docs-models";

  auto model = mtl::HardSharing(TwoLayers(TwoLayersImpl::Options{4, 16}), make_tasks(16));
  torch::optim::Adam adam(model->parameters(), 1e-2);
  mtl::Trainer trainer(model, adam, mtl::Sum(), {.epochs = 10});
  const auto run = trainer.fit(train, valid);
  std::puts(run.report().c_str());

  mtl::save(model, folder / "model.safetensors");
  mtl::load(model, folder / "model.safetensors");
  const auto found = mtl::predict(model, valid);  // found.predictions["sum"]: [64, 1]
  const auto record = mtl::validate(model, valid);
  const auto copy = mtl::clone(model);  // trains for itself

  // A common stem, then a branch for each group of tasks.
  const auto layer = [](int64_t in, int64_t out) {
    return mtl::nn::MlpEncoder({.input_size = in, .hidden_sizes = {out}});
  };
  auto branched = mtl::Branched(layer(4, 16), {{layer(16, 8), {"sum"}}, {layer(16, 8), {"sign"}}},
                                make_tasks(8));

  // First the heads on a frozen encoder, then everything, the encoder ten times slower.
  auto tuned = mtl::HardSharing(mtl::clone(model->encoder()), make_tasks(16));
  for (auto& parameter : tuned->shared_parameters()) parameter.set_requires_grad(false);
  std::vector<torch::Tensor> heads;
  for (const auto& task : tuned->tasks())
    for (const auto& parameter : tuned->task_parameters(task.name)) heads.push_back(parameter);
  torch::optim::Adam for_heads(heads, 1e-2);
  mtl::KendallUncertainty kendall(tuned->tasks());
  mtl::Trainer(tuned, for_heads, kendall, {.epochs = 3}).fit(train, valid);

  for (auto& parameter : tuned->shared_parameters()) parameter.set_requires_grad(true);
  torch::optim::Adam for_all(mtl::parameter_groups(*tuned, torch::optim::AdamOptions(1e-3),
                                                   torch::optim::AdamOptions(1e-2)));
  mtl::Trainer(tuned, for_all, kendall, {.epochs = 5}).fit(train, valid);

  TwoInputs two(layer(4, 8), layer(4, 8), make_tasks(16));
  const auto x = torch::randn({3, 4});
  const auto answers = two->forward({{"left", x}, {"right", x}});

  std::filesystem::remove_all(folder);
  const auto& whole = data.targets();
  const bool right = found.predictions["sum"].size(0) == 64 && record.total < 2 &&
                     copy->tasks().size() == 2 && answers.size() == 2 &&
                     branched->task_parameters("sum").size() == 4 &&
                     own_loop(data.inputs()["x"], whole["sum"], whole["sign"]) < 2;
  return right ? 0 : 1;
}
