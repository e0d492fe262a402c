#include "catch.hpp"
#include "complex_layer.hpp"
#include "error_text.hpp"

// A batch that is faulty: what the error says, and that a step given up leaves nothing behind.

namespace {

void holds_all(const std::string& whole, std::initializer_list<const char*> parts) {
  INFO(whole);
  for (const char* part : parts) CHECK(contains(whole, part));
}

/// Weights like Sum's, but finds a fault in every second step.
struct FindsFaults : mtl::LossCombiner {
  int steps = 0;
  torch::Tensor combine(const mtl::TaskLosses& losses) override {
    if (++steps % 2 == 0) throw mtl::FaultyStep("the combiner does not like step {}", steps);
    return torch::stack(losses.values).sum();
  }
};

/// Gives a task the weight NaN.
struct NanWeights : mtl::GradientCombiner {
  Eigen::VectorXd weights(const Eigen::MatrixXd& gramian) override {
    return Eigen::VectorXd::Constant(gramian.rows(), std::nan(""));
  }
};

/// The gradient of the last sample of any batch whose target is 7 is not finite, its loss is.
torch::Tensor root_at_seven(const torch::Tensor& p, const torch::Tensor& t) {
  const auto zero = p.squeeze(1) - p.squeeze(1).detach();
  return torch::where(t == 7, zero, (p.squeeze(1) - t).square() + 1).sqrt();
}

mtl::HardSharing rooted_model() {
  torch::manual_seed(4);
  mtl::TaskRegistry tasks;
  tasks.add(
      {.name = "root", .head = mtl::nn::LinearHead(8, 1), .loss = root_at_seven, .target = "temp"});
  return mtl::HardSharing(torch::nn::Sequential(torch::nn::Linear(5, 8), torch::nn::BatchNorm1d(8)),
                          tasks);
}

/// Beside the answer a number that no loss sees but in batches with a target of 7.
struct WithNumberImpl : torch::nn::Module {
  torch::nn::Linear linear = register_module("linear", torch::nn::Linear(8, 1));
  torch::Tensor number = register_parameter("number", torch::zeros({1}));
  torch::Tensor forward(const torch::Tensor& x) {
    return torch::cat({linear(x), number.expand({x.size(0), 1})}, 1);
  }
};
TORCH_MODULE(WithNumber);

/// What a run leaves: weights, running statistics, epoch means, the generator.
template <class Model>
std::pair<mtl::TrainingRun, torch::Tensor> trained_on(Model model, std::vector<mtl::Batch> batches,
                                                      const mtl::TrainerOptions& options) {
  torch::optim::Adam adam(model->parameters(), 1e-2);
  mtl::Sum sum;
  ListLoader loader(std::move(batches));
  torch::manual_seed(7);
  auto run = mtl::Trainer(model, adam, sum, options).fit(loader);
  return {run, torch::cat({flat(model), torch::rand({3}, torch::kDouble)})};
}

}  // namespace

TEST_CASE("Trainer: NaN and infinity stop the run and the text says what was at fault") {
  auto model = two_task_model();
  torch::optim::SGD sgd(model->parameters(), 0.1);
  mtl::Sum sum;
  auto data = weather_like(8, 1);
  auto x = data.inputs()["x"].clone(), temp = data.targets()["temp"].clone();
  const auto text = [&](mtl::TrainerOptions options) {
    mtl::TensorDataset faulty({{"x", x}}, {{"temp", temp}, {"sky", data.targets()["sky"]}});
    mtl::BatchLoader loader(faulty, {.batch_size = 4});
    return error_text([&] { mtl::Trainer(model, sgd, sum, options).fit(loader); });
  };
  SECTION("input") {
    x[5][0] = std::nan("");
    holds_all(text({.epochs = 1}),
              {"epoch 1, batch 2 of 2", "task \"temp\"", "input \"x\"", "row 1"});
  }
  SECTION("target") {
    temp[2] = std::numeric_limits<float>::infinity();
    holds_all(text({.epochs = 1}),
              {"batch 1 of 2", "task \"temp\"", "target \"temp\" holds infinity in row 2"});
  }
  SECTION("prediction") {
    temp *= 0;
    {
      torch::NoGradGuard no_grad;
      model->task_parameters("temp")[0].fill_(3e38);
    }
    holds_all(text({.epochs = 1}), {"task \"temp\"", "prediction"});
  }
  SECTION("parameter: no other batch mends it, so that skipping does not help") {
    torch::NoGradGuard no_grad;
    model->task_parameters("sky")[0][0][0] = std::nan("");
    for (const auto faulty : {mtl::FaultyBatch::stop, mtl::FaultyBatch::skip})
      holds_all(text({.epochs = 1, .faulty_batch = faulty}),
                {"epoch 1, batch 1 of 2", "parameter \"heads.sky.weight\" holds NaN"});
  }
}

TEST_CASE("Trainer: a bad gradient stops the run before the weights are touched") {
  auto data = weather_like(16, 1);
  auto batches = batches_of(data);
  batches[1].targets["temp"][3] = 7;
  for (const double max_grad_norm : {0.0, 1.0}) {
    auto model = rooted_model();
    torch::optim::SGD sgd(model->parameters(), 0.1);
    mtl::Sum sum;
    ListLoader loader(batches);
    const auto text = error_text([&] {
      mtl::Trainer(model, sgd, sum, {.epochs = 1, .max_grad_norm = max_grad_norm}).fit(loader);
    });
    holds_all(text, {"epoch 1, batch 2 of 2", "task \"root\"", "gradient is NaN or infinite"});
    CHECK(flat(model).isfinite().all().item<bool>());
  }
}

TEST_CASE("Trainer: a step given up leaves everything as if the batch had not been there") {
  const auto data = weather_like(32, 1);
  auto sound = batches_of(data), faulty = sound;
  sound.erase(sound.begin() + 1);
  const auto nan = std::nan("");
  SECTION("an input: running statistics, dropout's generator and the means of all tasks") {
    faulty[1].inputs["x"][2][3] = nan;
    const auto [left, left_bits] = trained_on(normed_model(), faulty, skipping(3));
    const auto [right, right_bits] = trained_on(normed_model(), sound, skipping(3));
    CHECK(left_bits.equal(right_bits));
    CHECK(left.history.csv() == right.history.csv());
    CHECK(left.faulty_batches == 3);
    CHECK(contains(left.brief(), "3 faulty batches skipped"));
    CHECK(contains(left.report(), "first fault: epoch 1, batch 2 of 4: task \"temp\""));
  }
  SECTION("a target of the second task: the first one's mean does not count the batch") {
    faulty[1].targets["sky"] = faulty[1].targets["sky"].clone();
    faulty[1].targets["temp"] = faulty[1].targets["temp"] + 500;
    auto& x = faulty[1].inputs["x"];
    x = x.clone();
    x[0][0] = std::numeric_limits<float>::infinity();
    const auto [left, left_bits] = trained_on(normed_model(), faulty, skipping(1));
    const auto [right, right_bits] = trained_on(normed_model(), sound, skipping(1));
    CHECK(left.history.epochs[0].train.losses[0] == right.history.epochs[0].train.losses[0]);
    CHECK(left_bits.equal(right_bits));
  }
  SECTION("a gradient, with clipping and without") {
    faulty[1].targets["temp"][3] = 7;
    for (const double max_grad_norm : {0.0, 1.0}) {
      const auto [left, left_bits] = trained_on(rooted_model(), faulty, skipping(2, max_grad_norm));
      const auto [right, right_bits] =
          trained_on(rooted_model(), sound, skipping(2, max_grad_norm));
      CHECK(left_bits.equal(right_bits));
      CHECK(left.history.csv() == right.history.csv());
      CHECK(left.faulty_batches == 2);
    }
  }
  SECTION("a batch that the model does not take") {
    faulty[1] = data.get(torch::arange(1));  // one sample, which BatchNorm cannot use
    const auto [left, left_bits] = trained_on(normed_model(), faulty, skipping(2));
    const auto [right, right_bits] = trained_on(normed_model(), sound, skipping(2));
    CHECK(left_bits.equal(right_bits));
    CHECK(left.faulty_batches == 2);
    CHECK(contains(left.first_fault, "the encoder does not take input \"x\" [1, 5]"));
  }
}

TEST_CASE("Trainer: faults found by a combiner go the same way") {
  const auto fit = [](mtl::Combiner& combiner, const mtl::TrainerOptions& options) {
    auto model = two_task_model();
    torch::optim::SGD sgd(model->parameters(), 0.01);
    mtl::BatchLoader loader(weather_like(32, 1), {.batch_size = 8});
    const auto run = mtl::Trainer(model, sgd, combiner, options).fit(loader);
    CHECK(flat(model).isfinite().all().item<bool>());
    return run;
  };
  FindsFaults finds;
  holds_all(error_text([&] { fit(finds, {.epochs = 1}); }),
            {"epoch 1, batch 2 of 4: the combiner does not like step 2", "FaultyBatch::skip"});
  finds.steps = 0;
  CHECK(fit(finds, skipping(2)).faulty_batches == 4);

  NanWeights nan_weights;
  CHECK(contains(error_text([&] { fit(nan_weights, {.epochs = 1}); }), "epoch 1, batch 1 of 4"));
}

TEST_CASE("Trainer: an epoch of which every batch is faulty is an error, also when skipping") {
  auto batches = batches_of(weather_like(16, 1));
  for (auto& batch : batches) batch.inputs["x"][0][0] = std::nan("");
  holds_all(error_text([&] { trained_on(two_task_model(), batches, skipping(3)); }),
            {"epoch 1: no batch led to a step", "the first: epoch 1, batch 1 of 2"});
}

TEST_CASE("Trainer: a batch that nobody has a label for makes no step") {
  const auto data = weather_like(32, 1);
  auto sound = batches_of(data), with_gap = sound;
  sound.erase(sound.begin() + 2);
  with_gap[2].targets["temp"] = torch::full({8}, std::nan(""));
  with_gap[2].targets["sky"] = torch::full({8}, mtl::missing_class, torch::kLong);
  with_gap[2].complete = false;
  struct CountHooks {
    int64_t* gradients;
    void on_gradients(mtl::TrainState&) { ++*gradients; }
    void on_step_end(mtl::TrainState&) { ++*gradients; }
  };
  const auto fit = [](mtl::Combiner& combiner, const std::vector<mtl::Batch>& batches,
                      int64_t& hooks) {
    auto model = normed_model();
    torch::optim::SGD sgd(model->parameters(), torch::optim::SGDOptions(0.01).momentum(0.9));
    ListLoader loader(batches);
    torch::manual_seed(7);
    const auto run =
        mtl::Trainer(model, sgd, combiner, {.epochs = 2}).fit(loader, CountHooks{&hooks});
    return std::pair{run, flat(model)};
  };
  for (const char* name : {"sum", "famo", "upgrad"}) {
    INFO(name);
    int64_t hooks = 0, fewer_hooks = 0;
    const auto combiner = mtl::make_combiner(name), other = mtl::make_combiner(name);
    const auto [left, left_bits] = fit(*combiner, with_gap, hooks);
    const auto [right, right_bits] = fit(*other, sound, fewer_hooks);
    CHECK(left_bits.equal(right_bits));
    CHECK(left.unlabelled_batches == 2);
    CHECK(contains(left.brief(), "2 batches without a label"));
    CHECK(hooks == fewer_hooks);
  }
}

TEST_CASE("Trainer: a second look at a batch does not count it twice in running statistics") {
  const auto tracked = [](const char* combiner) {
    auto model = normed_model();
    torch::optim::SGD sgd(model->parameters(), 0.01);
    mtl::BatchLoader loader(weather_like(32, 1), {.batch_size = 8});
    const auto method = mtl::make_combiner(combiner);
    mtl::Trainer(model, sgd, *method, {.epochs = 3}).fit(loader);
    return model->named_buffers()["encoder.1.num_batches_tracked"].item<int64_t>();
  };
  for (const char* name : {"sum", "famo", "modo"}) {
    INFO(name);
    CHECK(tracked(name) == 12);
  }
}

TEST_CASE("Trainer: a step given up leaves what every combiner keeps as it was") {
  const auto first_answer = [](const torch::Tensor& p, const torch::Tensor& t) {
    return (p.select(1, 0) - t).square() + 1;
  };
  // Its gradient is NaN in the head alone, where no combiner looks.
  const auto bad_at_seven = [=](const torch::Tensor& p, const torch::Tensor& t) {
    const auto loss = first_answer(p, t);
    return t.eq(7).any().item<bool>() ? loss + (p.select(1, 1) * 0).sqrt() : loss;
  };
  const auto model_of = [&] {
    torch::manual_seed(4);
    mtl::TaskRegistry tasks;
    for (const auto* name : {"a", "b"})
      tasks.add({.name = name,
                 .head = mtl::nn::LinearHead(8, 1),
                 .loss = first_answer,
                 .target = "temp"});
    tasks.add({.name = "c", .head = WithNumber(), .loss = bad_at_seven, .target = "temp"});
    return mtl::HardSharing(
        torch::nn::Sequential(torch::nn::Linear(5, 8), torch::nn::BatchNorm1d(8)), tasks);
  };
  auto faulty = batches_of(weather_like(40, 1)), sound = faulty;
  faulty[1].targets["temp"][3] = 7;
  sound.erase(sound.begin() + 1);
  for (const std::string& name : mtl::combiner_names()) {
    // Those that look at further batches have looked at them.
    if (name == "modo" || name == "sdmgrad" || name == "auto_lambda" || name == "moml" ||
        name == "forum")
      continue;
    const auto left = [&](const std::vector<mtl::Batch>& batches) {
      auto model = model_of();
      auto combiner = mtl::make_combiner(name == "fixed"  ? "fixed:weights=1/2/3"
                                         : name == "krum" ? "krum:byzantine=0"
                                                          : name);
      ListLoader loader(batches);
      torch::optim::SGD sgd(model->parameters(), 0.01);
      const auto run = mtl::Trainer(model, sgd, *combiner, skipping(2)).fit(loader);
      std::vector<torch::Tensor> all{flat(model)};
      for (const auto& item : combiner->state_dict())
        all.push_back(item.value().to(torch::kDouble).reshape({-1}).nan_to_num(-1));
      return std::pair(run.faulty_batches, torch::cat(all));
    };
    INFO(name);
    const auto [skipped, with] = left(faulty);
    CHECK(skipped == 2);
    CHECK(with.equal(left(sound).second));
  }
}

TEST_CASE("Trainer: a callback that throws before the optimizer's step leaves no trace of it") {
  struct Mine {};
  struct Throws {
    void on_gradients(mtl::TrainState&) const { throw Mine(); }
  };
  auto model = normed_model();
  torch::optim::SGD sgd(model->parameters(), 0.1);
  ListLoader loader(batches_of(weather_like(16, 1)));
  const auto before = flat(model);
  CHECK_THROWS_AS(mtl::Trainer(model, sgd, mtl::Sum(), {.epochs = 1}).fit(loader, Throws{}), Mine);
  CHECK(flat(model).equal(before));
  for (const auto& parameter : model->parameters()) CHECK_FALSE(parameter.grad().defined());
}

TEST_CASE("Trainer: an error of the use carries epoch and batch, and is not skipped") {
  auto batches = batches_of(weather_like(16, 1));
  batches[1].targets["temp"] = torch::zeros({7});
  holds_all(error_text([&] { trained_on(two_task_model(), batches, skipping(1)); }),
            {"epoch 1, batch 2 of 2", "task \"temp\"", "[7]"});
}

TEST_CASE("Trainer: what a loss of one's own throws goes out as it is, and leaves no trace") {
  struct Mine {};
  torch::manual_seed(4);
  mtl::TaskRegistry tasks;
  tasks.add(
      {.name = "temp",
       .head = mtl::nn::LinearHead(8, 1),
       .loss = [](const torch::Tensor&, const torch::Tensor&) -> torch::Tensor { throw Mine(); }});
  mtl::HardSharing model(torch::nn::Sequential(torch::nn::Linear(5, 8), torch::nn::BatchNorm1d(8)),
                         tasks);
  const auto before = flat(model);
  CHECK_THROWS_AS(trained_on(model, batches_of(weather_like(16, 1)), skipping(1)), Mine);
  CHECK(flat(model).equal(before));
}

TEST_CASE("Trainer: a loss that is infinite when a combiner looks at it again after the step") {
  auto model = two_task_model();
  torch::optim::SGD sgd(model->parameters(), 1e25);  // parameters stay finite, squares do not
  mtl::Famo famo;
  ListLoader loader(batches_of(weather_like(16, 1)));
  const auto text = error_text([&] { mtl::Trainer(model, sgd, famo, {.epochs = 1}).fit(loader); });
  holds_all(text, {"epoch 1, batch 1 of 2", "task \"temp\": after the step the loss is NaN"});
}

TEST_CASE("Trainer: a gradient of a complex parameter that is NaN is seen") {
  for (const double max_norm : {0.0, 1.0}) {
    auto model = complex_model();
    int calls = 0;
    complex_weight(model).register_hook([&calls](const torch::Tensor& gradient) {
      return ++calls == 2 ? gradient * std::nan("") : gradient;
    });
    const auto run = complex_run(model, skipping(2, max_norm));
    CHECK(run.faulty_batches == 1);
    CHECK(torch::view_as_real(complex_weight(model)).isfinite().all().item<bool>());
  }
}

namespace {

/// Buffers that are no piece of memory of their own: a column of a matrix, and one value in several
/// places.
struct OddBuffersImpl : torch::nn::Module {
  OddBuffersImpl()
      : column(register_buffer("column", torch::arange(16.0).view({8, 2}).select(1, 1))),
        one(register_buffer("one", torch::full({1}, 0.5).expand({8}))),
        linear(register_module("linear", torch::nn::Linear(5, 8))) {}
  torch::Tensor forward(const torch::Tensor& x) {
    column.add_(1);
    return linear(x) * one + 1e-3 * column;
  }
  torch::Tensor column, one;
  torch::nn::Linear linear;
};
TORCH_MODULE(OddBuffers);

}  // namespace

TEST_CASE("Trainer: buffers that are views, or expanded, are put back and loaded, too") {
  torch::manual_seed(3);
  const OddBuffers encoder;
  mtl::HardSharing model(encoder, weather_tasks(8));
  int calls = 0;
  encoder->linear->weight.register_hook([&calls](const torch::Tensor& gradient) {
    return ++calls == 2 ? gradient * std::nan("") : gradient;
  });
  torch::optim::SGD sgd(model->parameters(), 0.01);
  mtl::BatchLoader train(weather_like(48, 1), {.batch_size = 8}), valid(weather_like(8, 2));
  mtl::Trainer trainer(model, sgd, mtl::Sum(), skipping(1));
  const auto run = trainer.fit(train, valid, mtl::BestModel{}, mtl::AverageWeights{.decay = 0});
  CHECK(run.faulty_batches == 1);
  // Five sound batches, and the validation.
  CHECK(encoder->column.equal(torch::arange(1.0, 16.0, 2) + 6));
  CHECK(encoder->one.equal(torch::full({8}, 0.5)));
}
