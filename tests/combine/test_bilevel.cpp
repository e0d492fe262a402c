#include "bilevel_problem.hpp"
#include "mtl/data/data.hpp"
#include "mtl/train/train.hpp"

using namespace bilevel_problem;
using Eigen::MatrixXd;
using Eigen::VectorXd;

TEST_CASE("Bilevel combiners: the model comes back bit for bit, and running statistics rest") {
  for (const auto type : {torch::kFloat, torch::kDouble})
    for (const auto& text : bilevel) {
      INFO(text);
      const auto net = std::make_shared<Net>(0.2, type);
      const auto combiner = make_combiner(text);
      for (int64_t step = 0; step < 3; ++step) {
        const TaskLosses losses = net->step(random_batch(step, type), random_batch(9 + step, type));
        const auto before = net->everything();
        net->zero_grad();
        combiner->backward(losses, *net);
        CHECK(equal(net->everything(), before));
        for (const Tensor& parameter : net->parameters())
          CHECK(parameter.grad().scalar_type() == type);
      }
    }
}

TEST_CASE("Bilevel combiners: the model comes back when a loss throws") {
  for (const auto& text : bilevel) {
    for (const bool in_validation : {true, false}) {
      if (text == "moml" && !in_validation) continue;  // it looks at its batch once
      INFO(text << (in_validation ? " in validation" : " on trial"));
      const auto net = std::make_shared<Net>();
      const Batch batch = random_batch(1);
      TaskLosses losses = net->step(batch, random_batch(2));
      int calls = 0;
      if (in_validation)
        losses.another_batch = [&]() -> TaskLosses {
          net->losses(batch);
          throw Error("the reader is gone");
        };
      else
        losses.same_batch = [&]() -> TaskLosses {
          if (++calls == 2) throw Error("the reader is gone");
          return net->losses(batch);
        };
      const auto before = net->everything();
      const auto combiner = make_combiner(text);
      CHECK(error_text([&] { combiner->backward(losses, *net); }) == "the reader is gone");
      CHECK(equal(net->everything(), before));
    }
  }
  // Nothing that autograd would call a change has happened to the parameters.
  const auto net = std::make_shared<Net>();
  TaskLosses losses = net->step(random_batch(1), random_batch(2));
  losses.another_batch = []() -> TaskLosses { throw Error("the reader is gone"); };
  CHECK_FALSE(error_text([&] { Moml().backward(losses, *net); }).empty());
  torch::stack(losses.values).sum().backward();
  const auto found = gradients_of(*net);
  net->zero_grad();
  torch::stack(net->losses(random_batch(1)).values).sum().backward();
  CHECK(equal(found, gradients_of(*net)));
}

TEST_CASE("Bilevel combiners: a resumed combiner goes on to the bit") {
  for (const auto& text : bilevel) {
    INFO(text);
    const auto net = std::make_shared<Net>();
    const auto first = make_combiner(text), second = make_combiner(text);
    const auto step = [&](Combiner& combiner, int64_t k) {
      net->zero_grad();
      combiner.backward(net->step(random_batch(k), random_batch(20 + k)), *net);
      return gradients_of(*net);
    };
    for (int64_t k = 0; k < 3; ++k) {
      step(*first, k);
      first->end_epoch();
    }
    const auto fresh = make_combiner(text);
    second->load_state_dict(fresh->state_dict());  // that of a combiner without a step
    second->load_state_dict(first->state_dict());
    for (int64_t k = 3; k < 6; ++k) CHECK(equal(step(*first, k), step(*second, k)));
    CHECK(weights_of(*first) == weights_of(*second));
    CHECK(
        contains(error_text([&] { second->load_state_dict(NamedTensors()); }), "the state has no"));
  }
}

TEST_CASE("Bilevel combiners: one task") {
  const auto problem = std::make_shared<LinearProblem>(1, 3);
  const Tensor row = torch::tensor({{1.0, -2.0, 0.5}}, torch::kDouble);
  TaskLosses losses = problem->losses(row);
  losses.same_batch = losses.another_batch = [&] { return problem->losses(row); };
  AutoLambda auto_lambda;  // validation agrees with training: the weight rises by one step of Adam
  CHECK(torch::allclose(problem->step(auto_lambda, losses), 0.1001 * row[0], 1e-9));
  for (const char* text : {"moml", "forum"}) {
    INFO(text);
    CHECK(torch::equal(problem->step(*make_combiner(text), problem->losses(row)), row[0]));
  }
}

TEST_CASE("Bilevel combiners: a task without labels keeps its weight, and a batch may have none") {
  const auto problem = std::make_shared<LinearProblem>(3, 4);
  torch::manual_seed(3);
  const Tensor rows = torch::randn({3, 4}, torch::kDouble),
               further = torch::randn({3, 4}, torch::kDouble);
  const auto step = [&](Combiner& combiner, std::vector<int64_t> present) {
    TaskLosses losses = problem->losses(rows, {}, present);
    losses.same_batch = [&, present] { return problem->losses(rows, {}, present); };
    losses.another_batch = [&] { return problem->losses(further, {}, {1}); };
    return problem->step(combiner, losses);
  };
  for (const auto& text : bilevel) {
    INFO(text);
    const auto combiner = make_combiner(text == "forum" ? "forum:rho=5" : text);
    step(*combiner, {0, 1, 2});
    const NamedTensors before = combiner->state_dict();
    CHECK(torch::isfinite(step(*combiner, {0, 2})).all().item<bool>());
    const NamedTensors after = combiner->state_dict();
    for (const char* name : {"weights", "mean", "square", "steps"}) {
      INFO(name);
      CHECK(torch::equal(after[name][1], before[name][1]));
      CHECK_FALSE(torch::equal(after[name], before[name]));
    }
    TaskLosses none;
    none.task_count = 3;
    CHECK(problem->step(*combiner, none).abs().sum().item<double>() == 0);
  }
}

TEST_CASE("Bilevel combiners: validation losses may be the caller's") {
  const auto net = std::make_shared<Net>();
  const Batch batch = random_batch(1), further = random_batch(2);
  int calls = 0;
  const auto validation = [&] {
    ++calls;
    return net->losses(further);
  };
  const auto check = [&](Combiner& given, const std::string& text) {
    INFO(text);
    calls = 0;
    net->zero_grad();
    TaskLosses losses = net->step(batch, further);
    losses.another_batch = nullptr;
    given.backward(losses, *net);
    CHECK(calls == 1);
    const auto found = gradients_of(*net);
    net->zero_grad();
    make_combiner(text)->backward(net->step(batch, further), *net);
    CHECK(equal(found, gradients_of(*net)));
  };
  AutoLambda auto_lambda({.validation = validation});
  check(auto_lambda, "auto_lambda");
  Moml moml({.validation = validation});
  check(moml, "moml");
  Forum forum({.validation = validation});
  check(forum, "forum");
}

TEST_CASE("Bilevel combiners: what is missing or wrong is an Error by name") {
  const auto net = std::make_shared<Net>();
  const Batch batch = random_batch(1);
  const auto error = [&](const std::string& text, auto change) {
    TaskLosses losses = net->step(batch, batch);
    change(losses);
    return error_text([&] { make_combiner(text)->backward(losses, *net); });
  };
  for (const auto& text : bilevel) {
    INFO(text);
    CHECK(contains(error(text, [](TaskLosses& l) { l.another_batch = nullptr; }),
                   "give its option validation, or the losses another_batch"));
    CHECK(contains(error(text,
                         [&](TaskLosses& l) {
                           l.another_batch = [&] {
                             TaskLosses bad = net->losses(batch);
                             bad.values[1] = bad.values[1] * NAN;
                             return bad;
                           };
                         }),
                   "task \"task1\": its loss in validation is nan"));
    CHECK(contains(error(text,
                         [&](TaskLosses& l) {
                           l.another_batch = [&] {
                             TaskLosses bad = net->losses(batch);
                             bad.task_count = 3;
                             return bad;
                           };
                         }),
                   "of 3 tasks"));
    if (text != "moml")
      CHECK(contains(error(text, [](TaskLosses& l) { l.same_batch = nullptr; }),
                     "give the losses same_batch"));
    CHECK(contains(error_text([&] {
                     aggregate(*make_combiner(text), torch::ones({2, 3}, torch::kDouble));
                   }),
                   "several parameters"));
  }
}

TEST_CASE("Bilevel combiners: losses without a graph are an Error by name, not no lesson") {
  const auto net = std::make_shared<Net>();
  const Batch batch = random_batch(1);
  const auto unrecorded = [&] {
    const torch::NoGradGuard no_grad;
    return net->losses(batch);
  };
  for (const auto& text : bilevel) {
    INFO(text);
    TaskLosses losses = net->step(batch, batch);
    losses.another_batch = unrecorded;
    CHECK(contains(error_text([&] { make_combiner(text)->backward(losses, *net); }),
                   "of the validation losses, but that of task \"task0\" has no graph"));
    CHECK_FALSE(net->layer->weight.grad().defined());
  }
  TaskLosses losses = net->step(batch, batch);
  losses.same_batch = unrecorded;
  CHECK(contains(error_text([&] { make_combiner("forum")->backward(losses, *net); }),
                 "of the same batch's losses, but that of task \"task0\" has no graph"));
}

TEST_CASE("Bilevel combiners: without lists by task they try what the losses reach") {
  for (const auto& text : bilevel) {
    INFO(text);
    const auto gradients = [&](bool with_lists) {
      const auto net = std::make_shared<Net>();
      Parameters given{.shared = net->shared_parameters(), .buffers = net->buffers()};
      for (const auto& task : net->tasks())
        if (with_lists) given.by_task.push_back(net->task_parameters(task.name));
      const auto losses = net->step(random_batch(1), random_batch(2));
      const auto before = net->everything();
      make_combiner(text)->backward(losses, given);
      CHECK(equal(net->everything(), before));
      return gradients_of(*net);
    };
    const auto found = gradients(false), expected = gradients(true);
    for (size_t p = 0; p < found.size(); ++p)
      CHECK(torch::allclose(found[p], expected[p], 1e-6, 1e-9));
  }
}

TEST_CASE("Bilevel combiners: a step that is refused leaves model, gradients and state") {
  for (const auto& text : bilevel) {
    const auto combiner = make_combiner(text);
    const auto net = std::make_shared<Net>();
    const Batch batch = random_batch(1);
    combiner->backward(net->step(batch, batch), *net);
    const auto kept = gradients_of(*net);
    const NamedTensors before = combiner->state_dict();
    for (const double wrong : {std::nan(""), HUGE_VAL}) {
      for (const bool in_validation : {true, false}) {
        INFO(text << ", a loss of " << wrong << (in_validation ? " in validation" : ""));
        const auto spoilt = [&] {
          TaskLosses losses = net->losses(batch);
          losses.values[1] = losses.values[1] * wrong;
          return losses;
        };
        TaskLosses losses = in_validation ? net->losses(batch) : spoilt();
        losses.same_batch = [&] { return net->losses(batch); };
        losses.another_batch = [&] { return in_validation ? spoilt() : net->losses(batch); };
        const auto model = net->everything();
        CHECK_THROWS_AS(combiner->backward(losses, *net), FaultyStep);
        CHECK(equal(net->everything(), model));
        CHECK(equal(gradients_of(*net), kept));
        for (const auto& item : combiner->state_dict())
          CHECK(torch::equal(item.value(), before[item.key()]));
      }
    }
  }
}

TEST_CASE("Bilevel combiners: options that mean nothing are Errors when the object is made") {
  for (const auto& text : bilevel) {
    for (const char* option : {"lr", "inner_lr"}) {
      for (const char* value : {"0", "-1", "nan", "inf"}) {
        INFO(text << ":" << option << "=" << value);
        CHECK(contains(error_text([&] { make_combiner(text + ":" + option + "=" + value); }),
                       option));
      }
    }
  }
}

TEST_CASE("Bilevel combiners: the trainer gives them what they need, and runs are repeatable") {
  for (const auto& text : bilevel) {
    INFO(text);
    const auto run = [&] {
      const auto net = std::make_shared<Net>(0.1, torch::kFloat);
      const Batch rows = random_batch(3, torch::kFloat);
      TensorDataset data(rows.inputs, rows.targets);
      BatchLoader train(data, {.batch_size = 2, .shuffle = true, .seed = 4});
      torch::optim::SGD sgd(net->parameters(), 0.05);
      const auto combiner = make_combiner(text, net->tasks());
      Trainer trainer(*net, sgd, *combiner, {.epochs = 12});
      const TrainingRun result = trainer.fit(train);
      CHECK(result.steps == 12 * 3);  // every other batch is for validation
      const auto& epochs = result.history.epochs;
      CHECK(epochs.back().train.total < epochs.front().train.total);
      return net->everything();
    };
    CHECK(equal(run(), run()));
  }
}

TEST_CASE("Bilevel combiners: expanded buffers rest, an expanded parameter is an error") {
  for (const auto& text : bilevel) {
    INFO(text);
    const Tensor x = torch::ones({3}, torch::kDouble).requires_grad_();
    const Tensor mask = torch::ones({1}, torch::kDouble).expand({3});
    const auto losses = [&] { return task_losses({(x * mask).square().sum(), x.exp().sum()}); };
    const auto step = [&] {
      TaskLosses all = losses();
      all.same_batch = all.another_batch = losses;
      return all;
    };
    make_combiner(text)->backward(step(), {.shared = {x}, .buffers = {mask}});
    CHECK(x.grad().defined());
    const Tensor wide = torch::ones({1}, torch::kDouble).expand({3}).detach().requires_grad_();
    CHECK(contains(error_text([&] {
                     make_combiner(text)->backward(step(), {.shared = {x, wide}});
                   }),
                   "shape [3] is an expanded tensor"));
    TaskLosses unknown = step();
    unknown.another_batch = [] { return task_losses({Tensor(), Tensor()}); };
    CHECK(contains(error_text([&] { make_combiner(text)->backward(unknown, {.shared = {x}}); }),
                   "its loss is undefined"));
  }
}
