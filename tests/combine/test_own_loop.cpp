// Combiners in a loop of one's own: own parameters, own losses, no model of the library.
#include <Eigen/SVD>
#include <functional>

#include "gradient_checks.hpp"
#include "gradient_methods.hpp"
#include "mtl/combine/accumulated_losses.hpp"
#include "mtl/combine/scaled_losses.hpp"

using namespace gradient_checks;

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// Positive losses at x = 1, some conflict between the rows.
const MatrixXd kRows{{2, 1, 0, 0.5}, {-1, 2, 1, 0}, {0.5, 0.25, -1, 2}, {1, -1, 0.5, 1}};

TaskLosses with_further(const OwnLoop& loop, const std::vector<int64_t>& detached = {}) {
  TaskLosses losses = loop.losses(detached);
  losses.same_batch = losses.another_batch = [&loop, detached] { return loop.losses(detached); };
  return losses;
}

std::vector<Tensor> gradients_of(const OwnLoop& loop) {
  std::vector<Tensor> all = {loop.x.grad()};
  for (const Tensor& head : loop.heads) all.push_back(head.grad());
  return all;
}

std::vector<Tensor> step(Combiner& combiner, OwnLoop& loop, const Parameters& parameters) {
  loop.clear();
  combiner.backward(with_further(loop), parameters);
  return gradients_of(loop);
}

bool same(const std::vector<Tensor>& a, const std::vector<Tensor>& b) {
  bool same = a.size() == b.size();
  for (size_t i = 0; same && i < a.size(); ++i)
    same = a[i].defined() == b[i].defined() && (!a[i].defined() || torch::equal(a[i], b[i]));
  return same;
}

}  // namespace

TEST_CASE("own loop: gradients by hand, of a loss combiner and of a gradient combiner") {
  OwnLoop loop(MatrixXd{{1, 0}, {-1, 1}});  // x = 1, heads 1: losses 1.5 and .5
  FixedWeights fixed({2, 0.5});
  fixed.backward(loop.losses(), loop.parameters());
  CHECK(vector_of(loop.x.grad()).isApprox(Eigen::Vector2d(2 - 0.5, 0.5)));
  CHECK(loop.heads[0].grad().item<double>() == Approx(2 * 1.5));
  CHECK(loop.heads[1].grad().item<double>() == Approx(0.5 * 0.5));
  loop.clear();
  UpGrad upgrad;  // each row loses what opposes the other: (.5, .5) and (0, 1)
  upgrad.backward(loop.losses(), loop.parameters());
  CHECK(vector_of(loop.x.grad()).isApprox(Eigen::Vector2d(0.25, 0.75)));
  CHECK(loop.heads[0].grad().item<double>() == Approx(1.5));
  CHECK(loop.heads[1].grad().item<double>() == Approx(0.5));
}

TEST_CASE("own loop: without lists by task every other leaf gets its gradient") {
  for (const std::string& name : combiner_names()) {
    INFO(name);
    OwnLoop loop(kRows);
    const auto given = step(*plain_combiner(name, 4), loop, loop.parameters());
    const auto found = step(*plain_combiner(name, 4), loop, {.shared = {loop.x}});
    REQUIRE(given.size() == found.size());
    for (size_t i = 0; i < given.size(); ++i)
      CHECK(torch::allclose(given[i], found[i], 1e-12, 1e-14));
  }
}

TEST_CASE("own loop: a tensor listed twice gets its gradient once") {
  for (const std::string& name : combiner_names()) {
    INFO(name);
    OwnLoop loop(kRows);
    const auto once = step(*plain_combiner(name, 4), loop, loop.parameters());
    Parameters doubled = loop.parameters();
    doubled.shared.push_back(loop.x);
    for (auto& list : doubled.by_task) list.push_back(list.front());
    doubled.by_task[2].push_back(loop.x);  // counts as shared
    const auto twice = step(*plain_combiner(name, 4), loop, doubled);
    for (size_t i = 0; i < once.size(); ++i)
      CHECK(torch::allclose(once[i], twice[i], 1e-12, 1e-14));
  }
}

TEST_CASE("own loop: a head of two tasks gets the sum of theirs") {
  OwnLoop loop(MatrixXd{{1, 2}, {3, -1}});
  loop.heads[1] = loop.heads[0];
  for (const char* name : {"sum", "upgrad", "graddrop"}) {
    INFO(name);
    step(*make_combiner(name), loop, loop.parameters());
    CHECK(loop.heads[0].grad().item<double>() ==
          Approx(loop.head_gradient(0) + loop.head_gradient(1)));
  }
}

TEST_CASE("own loop: a head whose loss has a gradient learns, whatever reaches the encoder") {
  for (const std::string& name : gradient_methods()) {
    INFO(name);
    OwnLoop loop(kRows);
    const auto combiner = plain_combiner(name, 4);
    for (int k = 0; k < 30; ++k) {
      loop.clear();
      combiner->backward(with_further(loop, {1}), loop.parameters());
      CHECK(std::abs(loop.heads[1].grad().item<double>()) > 1e-3);
      for (const Tensor& head : loop.heads)  // later a method may leave a task without weight
        CHECK((k > 0 || std::abs(head.grad().item<double>()) > 1e-3));
    }
    loop.clear();
    combiner->backward(with_further(loop, {0, 1, 2, 3}), loop.parameters());
    for (const Tensor& head : loop.heads) CHECK(std::abs(head.grad().item<double>()) > 1e-3);
  }
}

TEST_CASE("own loop: what cannot be served is an Error before anything is changed") {
  for (const std::string& name : combiner_names()) {
    INFO(name);
    OwnLoop loop(kRows);
    const auto combiner = plain_combiner(name, 4);
    const auto error = [&](const TaskLosses& losses, const Parameters& parameters) {
      const std::string text = error_text([&] { combiner->backward(losses, parameters); });
      CHECK_FALSE(text.empty());
      for (const Tensor& gradient : gradients_of(loop)) CHECK_FALSE(gradient.defined());
      return text;
    };
    Parameters parameters = loop.parameters();
    parameters.by_task.pop_back();
    CHECK(contains(error(with_further(loop), parameters), "3 tasks, but there are 4"));
    parameters = loop.parameters();
    parameters.shared.emplace_back();
    CHECK(contains(error(with_further(loop), parameters), "undefined tensor"));
    parameters = loop.parameters();
    parameters.by_task[2].emplace_back();
    CHECK(contains(error(with_further(loop), parameters), "task 2"));
    TaskLosses losses = with_further(loop);
    losses.values[1] = Tensor();
    CHECK(contains(error(losses, loop.parameters()), "task \"1\""));
    losses.values[1] = torch::ones({2}, torch::kDouble).requires_grad_();
    CHECK(contains(error(losses, loop.parameters()), "[2]"));
    losses = with_further(loop);
    losses.names.clear();
    CHECK(contains(error(losses, loop.parameters()), "0 names"));
    losses = with_further(loop);
    losses.tasks[3] = 4;
    CHECK(contains(error(losses, loop.parameters()), "index 4"));
    losses = with_further(loop);
    for (Tensor& value : losses.values) value = value.detach();
    CHECK(contains(error(losses, loop.parameters()), "graph"));
    losses = with_further(loop);
    losses.values[3] = losses.values[3] * kNan;
    CHECK_THROWS_AS(combiner->backward(losses, loop.parameters()), FaultyStep);
    for (const Tensor& gradient : gradients_of(loop)) CHECK_FALSE(gradient.defined());
    // And the next step is as if nothing had been.
    CHECK(same(step(*combiner, loop, loop.parameters()),
               step(*plain_combiner(name, 4), loop, loop.parameters())));
  }
}

TEST_CASE("own loop: frozen parameters and losses without a graph are left out") {
  for (const std::string& name : gradient_methods()) {
    INFO(name);
    OwnLoop loop(kRows);
    Parameters parameters = loop.parameters();
    const Tensor frozen = torch::ones({3});
    parameters.shared.push_back(frozen);
    parameters.by_task[0].push_back(frozen);
    const auto with_frozen = step(*plain_combiner(name, 4), loop, parameters);
    CHECK(same(with_frozen, step(*plain_combiner(name, 4), loop, loop.parameters())));
    loop.clear();
    TaskLosses losses = with_further(loop);
    losses.values[1] = losses.values[1].detach();
    losses.another_batch = [only_detached = losses] { return only_detached; };
    plain_combiner(name, 4)->backward(losses, loop.parameters());
    CHECK_FALSE(loop.heads[1].grad().defined());
    CHECK(loop.heads[0].grad().defined());
  }
}

TEST_CASE("own loop: looking at a step changes nothing") {
  for (const std::string& name : combiner_names())
    for (const char* every : {"", ",every=3"}) {
      OwnLoop loop(kRows);
      const auto make = [&] {
        auto combiner = plain_combiner(name, 4);
        const auto options = combiner_options(name);
        if (*every != 0 && !options.empty() && options.back().name == "every")
          combiner = make_combiner(name + ":" + (every + 1), 4);
        return combiner;
      };
      const auto watched = make(), alone = make();
      watched->report_every(1);
      INFO(name << every);
      for (int k = 0; k < 4; ++k) {
        CHECK(same(step(*watched, loop, loop.parameters()), step(*alone, loop, loop.parameters())));
        REQUIRE(watched->last_report());
        CHECK(watched->last_report()->norms[0] > 0);
      }
      if (name == "auto_lambda" || name == "moml" || name == "forum") continue;
      // A loss that nothing learns from: for those to whom it is no fault.
      for (Combiner* combiner : {watched.get(), alone.get()}) {
        loop.clear();
        TaskLosses losses = with_further(loop);
        losses.values[2] = losses.values[2].detach();
        combiner->backward(losses, loop.parameters());
      }
      CHECK(watched->last_report()->norms.size() == 4);
    }
}

TEST_CASE("own loop: weights and solve work on any combiner at any time") {
  const MatrixXd gramian = kRows * kRows.transpose();
  for (const std::string& name : gradient_methods()) {
    INFO(name);
    const auto made = plain_combiner(name, 4);
    auto* combiner = dynamic_cast<GradientCombiner*>(made.get());
    if (combiner == nullptr) continue;
    for (int k = 0; k < 2; ++k) {
      CHECK(combiner->weights(gramian).allFinite());
      CHECK(combiner->solve(gramian).allFinite());
    }
    CHECK_THROWS_AS(combiner->solve(gramian * kNan), FaultyStep);
    {
      OwnLoop loop(kRows);  // gone when the combiner is asked again
      step(*combiner, loop, loop.parameters());
      TaskLosses losses = with_further(loop);
      losses.values[0] = losses.values[0] * kNan;
      CHECK_THROWS_AS(combiner->backward(losses, loop.parameters()), FaultyStep);
    }
    CHECK(combiner->weights(gramian).allFinite());
    CHECK(combiner->solve(gramian).allFinite());
    CHECK(torch::isfinite(aggregate(*combiner, tensor_of(kRows))).all().item<bool>());
  }
}

TEST_CASE("own loop: between two solutions a bad gradient is found, and a resume goes on") {
  for (const std::string& name : gradient_methods()) {
    const auto options = combiner_options(name);
    if (options.back().name != "every") continue;
    INFO(name);
    OwnLoop loop(kRows);
    const auto combiner = make_combiner(name + ":every=3", 4);
    step(*combiner, loop, loop.parameters());
    loop.clear();
    TaskLosses bad = with_further(loop);
    bad.values[2] = bad.values[2] * kNan;
    const std::string text = error_text([&] { combiner->backward(bad, loop.parameters()); });
    CHECK(contains(text, "task \"2\""));
    CHECK_FALSE(loop.x.grad().defined());
    const auto resumed = make_combiner(name + ":every=3", 4);
    resumed->load_state_dict(combiner->state_dict());
    for (int k = 0; k < 4; ++k)
      CHECK(
          same(step(*combiner, loop, loop.parameters()), step(*resumed, loop, loop.parameters())));
  }
}

TEST_CASE("own loop: a row that the Gramian has all but lost counts by the rows themselves") {
  // The rows differ by 1e-6 in a second direction: their Gramian knows that to 4 digits.
  const double apart = 1e-6;
  const MatrixXd rows{{1, 0}, {1, apart}};
  // Aligned-MTL: singular values all as the smallest one.
  const Eigen::JacobiSVD<MatrixXd> svd(rows, Eigen::ComputeFullU | Eigen::ComputeFullV);
  const VectorXd aligned = svd.singularValues()[1] * svd.matrixV() * svd.matrixU().transpose() *
                           VectorXd::Constant(2, 0.5);
  // IMTL-G: (1, s) with equal shares along both rows' directions.
  const double s = apart / (1 + std::sqrt(1 + apart * apart));
  for (const auto& [name, expected] :
       {std::pair<std::string, VectorXd>{"aligned", aligned}, {"imtl_g", Eigen::Vector2d(1, s)}}) {
    INFO(name);
    OwnLoop loop(rows);
    make_combiner(name)->backward(loop.losses(), loop.parameters());
    const VectorXd direction = vector_of(loop.x.grad());
    CHECK(direction[0] == Approx(expected[0]).epsilon(1e-7));
    CHECK(direction[1] == Approx(expected[1]).epsilon(1e-7));
  }
}

TEST_CASE("own loop: weights of one's own that are no weights are Errors") {
  OwnLoop loop(kRows);
  for (const auto& wrong : {VectorXd(VectorXd::Constant(4, kNan)), VectorXd(VectorXd::Ones(3))}) {
    auto combiner = gradient_combiner([wrong](const MatrixXd&) { return wrong; });
    CHECK_FALSE(error_text([&] { combiner.backward(loop.losses(), loop.parameters()); }).empty());
    CHECK_FALSE(loop.x.grad().defined());
  }
  struct Directions : DirectionCombiner {
    explicit Directions(Direction d) : chosen(std::move(d)) {}
    Direction direction(const Rows&) override { return chosen; }
    Direction chosen;
  };
  const Tensor ones = torch::ones({4}, torch::kDouble);
  for (const Direction& wrong :
       {Direction{{ones * kNan}, VectorXd::Ones(4)}, Direction{{ones}, VectorXd::Constant(4, kNan)},
        Direction{{ones}, VectorXd::Ones(2)},
        Direction{{torch::ones({3}, torch::kDouble)}, VectorXd::Ones(4)},
        Direction{{}, VectorXd::Ones(4)}}) {
    Directions combiner(wrong);
    CHECK_FALSE(error_text([&] { combiner.backward(loop.losses(), loop.parameters()); }).empty());
    CHECK_FALSE(loop.x.grad().defined());
  }
}

TEST_CASE("own loop: numbers of tasks that disagree, and a countdown of another option") {
  CHECK(contains(error_text([] {
                   task_losses({torch::ones({}), torch::ones({})}, {LossKind::regression});
                 }),
                 "2 losses, but 1 kinds"));
  Mgda mgda;
  const TaskLosses three = unknown_losses(int64_t{3});
  CHECK(contains(error_text([&] { mgda.solve(three, MatrixXd::Identity(2, 2)); }),
                 "a Gramian of 2 x 2 for 3 tasks"));
  OwnLoop loop(kRows);
  Mgda often({.every = 2}), seldom({.every = 5});
  seldom.backward(loop.losses(), loop.parameters());
  CHECK(contains(error_text([&] { often.load_state_dict(seldom.state_dict()); }),
                 "solved every 2 steps"));
}

TEST_CASE("own loop: the five lines of a method of one's own") {
  struct MyWeights : GradientCombiner {
    VectorXd weights(const MatrixXd& gramian) override {
      return gramian.diagonal().cwiseSqrt().cwiseInverse();
    }
  };
  OwnLoop loop(MatrixXd{{3, 4}, {0, 2}});
  MyWeights mine;
  mine.backward(loop.losses(), {.shared = {loop.x}});
  CHECK(vector_of(loop.x.grad()).isApprox(Eigen::Vector2d(0.6, 1.8)));
  CHECK(loop.heads[0].grad().item<double>() == Approx(7.5));
}

TEST_CASE("own loop: lists that are not the losses' are an error before anything is read") {
  const Tensor x = torch::ones({2}, torch::kDouble).requires_grad_();
  const auto text_of = [&](const std::function<void(TaskLosses&)>& spoil) {
    TaskLosses losses = task_losses({x[0], x[1]});
    spoil(losses);
    FixedWeights fixed({1, 10});
    const std::string text = error_text([&] { fixed.backward(losses, {.shared = {x}}); });
    CHECK(error_text([&] { AccumulatedLosses({x}).add(losses); }) == text);
    CHECK_FALSE(x.grad().defined());
    return text;
  };
  CHECK(contains(text_of([](TaskLosses& l) { l.tasks = {1, 0}; }), "stands behind one of index 1"));
  CHECK(contains(text_of([](TaskLosses& l) { l.tasks = {0, 0}; }), "each task once"));
  CHECK(contains(text_of([](TaskLosses& l) { l.kinds = {LossKind::classification}; }), "1 kinds"));
  CHECK(contains(text_of([](TaskLosses& l) { l.samples = {4}; }), "1 numbers of samples"));
  CHECK(contains(text_of([](TaskLosses& l) {
                   l.weights = {torch::ones({8}), Tensor()};
                 }),
                 "has shape [8], expected one number: the sum"));
  TaskLosses uncounted = task_losses({x[0], x[1]});
  uncounted.samples.clear();
  CHECK(
      contains(error_text([&] { AccumulatedLosses({x}).add(uncounted); }), "0 numbers of samples"));
}

TEST_CASE("own loop: losses of one element and of several types") {
  for (const std::string& name : combiner_names()) {
    if (name == "krum" || name == "trimmed_mean") continue;  // they want more tasks
    INFO(name);
    std::vector<Tensor> gradients;
    for (const bool mixed : {false, true}) {
      const Tensor x = torch::tensor({0.5, 1.0, 2.0}, torch::kDouble).requires_grad_();
      const auto losses = [&] {
        const Tensor first = x.square().sum().to(torch::kFloat), second = x.exp().sum();
        return mixed ? task_losses({first.reshape({1}), second})
                     : task_losses({first.to(torch::kDouble), second});
      };
      const auto combiner = make_combiner(name == "fixed"  ? "fixed:weights=1/2"
                                          : name == "famo" ? "famo:min_losses=-1/-2"
                                                           : name);
      for (int i = 0; i < 2; ++i) {
        TaskLosses step = losses();
        step.same_batch = step.another_batch = losses;
        combiner->backward(step, {.shared = {x}});
        if (combiner->wants_losses_after_step()) combiner->after_step(losses());
      }
      gradients.push_back(x.grad());
    }
    CHECK(torch::allclose(gradients[0], gradients[1], 1e-6));
  }
  Sum sum;
  CHECK(
      sum.total(task_losses({torch::ones({1}), torch::ones({}, torch::kDouble)})).item<double>() ==
      2);
}

TEST_CASE("own loop: complex parameters count as their real and imaginary parts") {
  torch::manual_seed(3);
  const Tensor start = torch::randn({4, 2}, torch::kDouble);
  const Tensor a = torch::randn({3, 4}, torch::kDouble), b = torch::randn({3, 4}, torch::kDouble);
  for (const auto name : {"upgrad", "cagrad", "upgrad:every=2", "graddrop", "db_mtl", "moco",
                          "excess_mtl", "imtl", "gradvac:groups=parameter", "moml"}) {
    INFO(name);
    std::vector<Tensor> gradients;
    for (const bool is_complex : {false, true}) {
      const Tensor x =
          (is_complex ? torch::view_as_complex(start.clone()) : start.clone()).requires_grad_();
      const auto losses = [&] {
        const Tensor parts = is_complex ? torch::view_as_real(x) : x;
        return task_losses(
            {a.matmul(parts).square().mean(), (b.matmul(parts) - 1).square().mean()});
      };
      const auto combiner = make_combiner(name, 2);
      for (int i = 0; i < 2; ++i) {
        TaskLosses step = losses();
        step.another_batch = losses;
        combiner->backward(step, {.shared = {x}});
      }
      gradients.push_back(is_complex ? torch::view_as_real(x.grad()) : x.grad());
    }
    CHECK(torch::allclose(gradients[0], gradients[1], 1e-9));
  }
}

TEST_CASE("own loop: a shared layer of no inputs") {
  const Tensor w = torch::zeros({8, 0}).requires_grad_(), v = torch::ones({8, 3}).requires_grad_();
  const Tensor h =
      (torch::linear(torch::ones({5, 3}), v) + torch::linear(torch::ones({5, 0}), w)).tanh();
  UpGrad().backward(task_losses({h.square().mean(), h.exp().mean()}), {.shared = {w, v}});
  CHECK(w.grad().sizes() == w.sizes());
  CHECK(v.grad().abs().sum().item<double>() > 0);
}

TEST_CASE("own loop: a parameter that is computed from others is an error") {
  const Tensor v = torch::ones({3}).requires_grad_();
  const Tensor w = v / v.norm();
  for (const auto name : {"sum", "upgrad"})
    CHECK(contains(error_text([&] {
                     make_combiner(name)->backward(task_losses({w.square().sum(), w.exp().sum()}),
                                                   {.shared = {w}});
                   }),
                   "parameter 0 of the shared ones, of shape [3], is computed from other tensors"));
}

TEST_CASE("own loop: a hook of a parameter runs once, also behind parts and a scale") {
  Tensor x = torch::ones({2}, torch::kDouble).requires_grad_();
  int calls = 0;
  x.register_hook([&](const Tensor& gradient) {
    ++calls;
    return gradient * 10;
  });
  const auto gradient_of = [&](const TaskLosses& losses) {
    x.mutable_grad() = Tensor();
    calls = 0;
    make_combiner("sum")->backward(losses, {.shared = {x}});
    CHECK(calls == 1);
    return x.grad()[0].item<double>();
  };
  const auto losses = [&] { return task_losses({x.sum(), 2 * x.sum()}); };
  AccumulatedLosses whole({x});
  whole.add(losses());
  CHECK(gradient_of(losses()) == 30);
  CHECK(gradient_of(whole.losses()) == 30);
  CHECK(gradient_of(scaled_losses(losses(), 4)) == 30);
}

TEST_CASE("own loop: a report counts a tensor that is listed twice once") {
  for (const std::string& name : combiner_names()) {
    INFO(name);
    std::vector<Eigen::VectorXd> norms;
    for (const bool twice : {false, true}) {
      OwnLoop loop(kRows);
      Parameters parameters = loop.parameters();
      if (twice) parameters.shared.push_back(parameters.shared.front());
      const auto combiner = plain_combiner(name, 4);
      combiner->report_every(1);
      step(*combiner, loop, parameters);
      norms.push_back(combiner->last_report()->norms);
    }
    CHECK(norms[0] == norms[1]);
  }
}

TEST_CASE("own loop: batches of unequal size at the representation are an Error by both sizes") {
  for (const auto name : {"modo", "sdmgrad"})
    for (const int64_t further : {2, 5}) {
      const Tensor w = torch::ones({3, 3}).requires_grad_();
      const auto losses = [&](int64_t rows) {
        const Tensor z = torch::ones({rows, 3}).matmul(w);
        TaskLosses step = task_losses({z.square().mean(), z.exp().mean()});
        step.representation = z;
        return step;
      };
      TaskLosses step = losses(4);
      step.another_batch = [&] { return losses(further); };
      const auto combiner = make_combiner(std::string(name) + ":at=representation", 2);
      CHECK(contains(error_text([&] { combiner->backward(step, {.shared = {w}}); }),
                     "have shapes [4, 3] and [" + std::to_string(further) + ", 3]"));
      CHECK_FALSE(w.grad().defined());
    }
}

TEST_CASE("own loop: under NoGradGuard a step is the same, as backward() is") {
  for (const std::string& name : combiner_names()) {
    INFO(name);
    OwnLoop outside(kRows), inside(kRows);
    const auto first = plain_combiner(name, 4), second = plain_combiner(name, 4);
    for (int i = 0; i < 2; ++i) {
      const auto expected = step(*first, outside, outside.parameters());
      const TaskLosses losses = with_further(inside);
      inside.clear();
      const torch::NoGradGuard no_grad;
      second->backward(losses, inside.parameters());
      CHECK(same(gradients_of(inside), expected));
    }
  }
}

TEST_CASE("own loop: a state that does not fit leaves the combiner as it was") {
  for (const std::string& name : combiner_names()) {
    std::vector<std::string> texts = {name};
    for (const OptionDescription& option : combiner_options(name))
      if (option.name == "every") texts.push_back(name + ":every=3");
    if (name == "fixed") texts = {"fixed:weights=1/1/1/1"};
    if (name == "cr_mogm") texts.insert(texts.end(), {"cr_mogm:of=pcd", "cr_mogm:of=pcgrad"});
    for (const std::string& text : texts) {
      OwnLoop loop(kRows);
      const auto other = make_combiner(text, 4), combiner = make_combiner(text, 4);
      for (int i = 0; i < 3; ++i) step(*other, loop, loop.parameters());
      const NamedTensors fits = other->state_dict(), before = combiner->state_dict();
      for (const auto& spoilt : fits) {
        INFO(text << ", " << spoilt.key());
        NamedTensors state;
        for (const auto& item : fits)
          state.insert(item.key(), &item == &spoilt ? torch::zeros({7, 3, 2}) : item.value());
        if (error_text([&] { combiner->load_state_dict(state); }).empty()) {
          // A row of a parameter may have any shape: that is seen in a step, which then is none.
          const std::string error = error_text([&] { step(*combiner, loop, loop.parameters()); });
          CHECK(contains(error, "what is kept for it has shape [7, 3, 2]"));
          const NamedTensors after = combiner->state_dict();
          for (const auto& item : state) CHECK(torch::equal(item.value(), after[item.key()]));
          combiner->load_state_dict(before);
        }
        const NamedTensors after = combiner->state_dict();
        REQUIRE(after.keys() == before.keys());
        for (const auto& item : before)
          CHECK(torch::equal(item.value().nan_to_num(-1), after[item.key()].nan_to_num(-1)));
      }
    }
  }
}

TEST_CASE("own loop: a loss combiner of one's own that makes no loss is an Error") {
  struct Own : LossCombiner {
    Tensor combine(const TaskLosses& losses) override { return make(losses.values.front()); }
    std::function<Tensor(const Tensor&)> make;
  };
  const auto text = [](std::function<Tensor(const Tensor&)> make) {
    const Tensor x = torch::ones({2}).requires_grad_();
    Own own;
    own.make = std::move(make);
    const std::string found = error_text([&] {
      own.backward(task_losses({x.square().sum(), x.exp().sum()}), {.shared = {x}});
    });
    CHECK(x.grad().defined() == found.empty());
    return found;
  };
  CHECK(text([](const Tensor& loss) { return loss.reshape({1}); }).empty());
  CHECK(contains(text([](const Tensor& loss) { return loss.detach(); }), "without a graph"));
  CHECK(contains(text([](const Tensor& loss) { return loss.repeat({2}); }), "of shape [2]"));
  CHECK(contains(text([](const Tensor&) { return Tensor(); }), "of shape [undefined]"));
}

TEST_CASE("own loop: a direction of one's own has its parameter's type, and no graph") {
  struct Own : DirectionCombiner {
    Direction direction(const Rows& rows) override {
      return {{make(rows.front().front())}, VectorXd::Ones(2)};
    }
    std::function<Tensor(const Tensor&)> make;
  };
  for (const auto type : {torch::kFloat, torch::kDouble, torch::kLong}) {
    const Tensor x = torch::ones({2}).requires_grad_();
    Own own;
    own.make = [type](const Tensor& row) {
      const Tensor made = (2 * row).to(type);
      return type == torch::kLong ? made : made.requires_grad_();
    };
    torch::optim::Adam adam({x});
    for (int i = 0; i < 2; ++i) {
      own.backward(task_losses({x.square().sum(), x.exp().sum()}), {.shared = {x}});
      CHECK(x.grad().scalar_type() == torch::kFloat);
      CHECK_FALSE(x.grad().requires_grad());
      adam.step();
    }
  }
}
