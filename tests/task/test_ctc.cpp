#include "error_text.hpp"
#include "golden.hpp"
#include "some_losses.hpp"

using namespace mtl;

TEST_CASE("Ctc: values and gradients of all paths, gone through one by one") {
  for (const auto& c : golden("structured_losses.json")["ctc"]) {
    Tensor y = tensor_of(c["logits"]).unsqueeze(0).requires_grad_();
    const Tensor labels = tensor_of(c["labels"]).to(torch::kLong).unsqueeze(0);
    const Tensor filled = torch::cat({labels, torch::full({1, 2}, missing_class)}, 1);
    INFO(labels);
    for (const Tensor& target : {labels, filled}) {
      y.mutable_grad().reset();
      const SampleLosses losses = Ctc{}(y, target);
      CHECK(losses.values[0].item<double>() == Approx(c["loss"].get<double>()).epsilon(1e-10));
      CHECK(losses.weights[0].item<double>() == 1);
      losses.values.sum().backward();
      CHECK(is_close(y.grad()[0], tensor_of(c["gradient"]), 1e-9));
    }
  }
}

TEST_CASE("Ctc: another blank is the classes in another order") {
  torch::manual_seed(3);
  const Tensor y = torch::randn({2, 6, 4}, torch::kDouble);
  const Tensor t = torch::tensor({{1, 2, 2}, {3, 1, -100}});
  const Tensor turned = y.roll(-1, 2);  // class c becomes c - 1, the blank 3
  const Tensor labels = torch::tensor({{0, 1, 1}, {2, 0, -100}});
  CHECK(is_close(Ctc{.blank = 3}(turned, labels).values, Ctc{}(y, t).values));
}

TEST_CASE("Ctc: a sequence too long for its steps costs nothing with zero_infinity") {
  torch::manual_seed(4);
  Tensor y = torch::randn({2, 2, 3}, torch::kDouble).requires_grad_();
  const Tensor t = torch::tensor({{1, 1}, {1, 2}});  // 1 1 needs a blank between
  CHECK(contains(error_text([&] { Ctc{}(y, t); }), "row 0 needs 3 steps"));
  const SampleLosses losses = Ctc{.zero_infinity = true}(y, t);
  CHECK(losses.values[0].item<double>() == 0);
  CHECK(losses.values[1].item<double>() > 0);
  losses.values.sum().backward();
  CHECK(y.grad()[0].eq(0).all().item<bool>());
  CHECK(y.grad().isfinite().all().item<bool>());
}

TEST_CASE("Ctc: labels behind the end, the blank as a label, and other shapes are Errors") {
  const Tensor y = torch::zeros({2, 5, 3}, torch::kDouble);
  const auto text = [&](const Tensor& target) { return error_text([&] { Ctc{}(y, target); }); };
  CHECK(contains(text(torch::tensor({{1, 2}, {-100, 2}})), "label 2 behind the end"));
  CHECK(contains(text(torch::tensor({{1, 2}, {0, 2}})), "has the blank (0) as a label in row 1"));
  CHECK(contains(text(torch::tensor({{1, 2}, {1, 3}})), "class 3 in row 1"));
  CHECK(contains(text(torch::tensor({1, 2})), "Ctc expects logits [N, steps, C]"));
  CHECK(contains(error_text([&] {
                   Ctc{.blank = 3}(y, torch::tensor({{1}, {2}}));
                 }),
                 "the blank is class 3"));
}

TEST_CASE("Ctc: behind the end of each sequence nothing counts, in value and gradient") {
  torch::manual_seed(5);
  const auto& cases = golden("structured_losses.json")["ctc"];
  for (const auto& c : cases) {  // all paths through the steps that are there
    const Tensor there = tensor_of(c["logits"]);
    Tensor y = torch::cat({there, torch::randn({3, there.size(1)}, torch::kDouble)})
                   .unsqueeze(0)
                   .requires_grad_();
    const Tensor labels = tensor_of(c["labels"]).to(torch::kLong).unsqueeze(0);
    const Tensor losses = Ctc{}(blank_behind(y, torch::tensor({there.size(0)})), labels).values;
    CHECK(losses[0].item<double>() == Approx(c["loss"].get<double>()).epsilon(1e-10));
    losses.sum().backward();
    CHECK(is_close(y.grad()[0].narrow(0, 0, there.size(0)), tensor_of(c["gradient"]), 1e-9));
    CHECK(y.grad()[0].slice(0, there.size(0)).eq(0).all().item<bool>());
  }
  REQUIRE_FALSE(cases.empty());
}

TEST_CASE("Ctc: in a batch of sequences of different lengths each gets what it gets alone") {
  torch::manual_seed(6);
  for (const int64_t blank : {0, 2}) {
    const Tensor y = torch::randn({4, 7, 4}, torch::kDouble);
    const Tensor t = torch::tensor({{1, 3, -100}, {3, 1, 3}, {1, -100, -100}, {-100, -100, -100}});
    const Tensor lengths = torch::tensor({5, 7, 1, 2});
    const Ctc loss{.blank = blank};
    const SampleLosses together = loss(blank_behind(y, lengths, blank), t);
    for (int64_t n = 0; n < 3; ++n) {
      INFO("row " << n);
      const Tensor alone = y.narrow(0, n, 1).narrow(1, 0, lengths[n].item<int64_t>());
      CHECK(is_close(together.values[n], loss(alone, t.narrow(0, n, 1)).values[0], 1e-12));
    }
    CHECK(together.values[3].item<double>() == 0);
    CHECK(together.weights[3].item<double>() == 0);
  }
}

TEST_CASE("Ctc: labels have to fit into the steps that are there") {
  torch::manual_seed(7);
  Tensor y = torch::randn({3, 6, 3}, torch::kDouble).requires_grad_();
  const Tensor t = torch::tensor({{1, 2}, {1, 1}, {1, -100}});
  const auto ended = [&](std::vector<int64_t> lengths) {
    return blank_behind(y, torch::tensor(lengths));
  };
  CHECK(contains(error_text([&] {
                   Ctc{}(ended({6, 2, 6}), t);
                 }),
                 "row 1 needs 3 steps, but the prediction has 2"));
  CHECK(contains(error_text([&] {
                   Ctc{}(ended({6, 6, 0}), t);
                 }),
                 "row 2 needs 1 steps, but the prediction has 0"));
  const SampleLosses losses = Ctc{.zero_infinity = true}(ended({6, 2, 0}), t);
  CHECK(losses.values[0].item<double>() > 0);
  CHECK(losses.values[1].item<double>() == 0);
  CHECK(losses.values[2].item<double>() == 0);
  losses.values.sum().backward();
  CHECK(y.grad().isfinite().all().item<bool>());
  CHECK(y.grad().slice(0, 1).eq(0).all().item<bool>());
}

TEST_CASE("blank_behind: metrics read no further than the sequences go") {
  torch::manual_seed(8);
  const Tensor y = torch::randn({5, 9, 4});
  const Tensor t = torch::randint(1, 4, {5, 3}, torch::kLong);
  const std::vector<int64_t> lengths = {9, 4, 1, 7, 2};
  const Tensor ended = blank_behind(y, torch::tensor(lengths));
  const auto judge = [&](const auto& metric) {
    auto alone = typename std::decay_t<decltype(metric)>::State();
    for (int64_t n = 0; n < 5; ++n)
      metric.add(alone, y.narrow(0, n, 1).narrow(1, 0, lengths[static_cast<size_t>(n)]),
                 t.narrow(0, n, 1), Tensor());
    CHECK(metric(ended, t) == metric.value(alone));
  };
  judge(CharacterErrorRate{});
  judge(WordErrorRate{.space = 3});
  CHECK(CharacterErrorRate{}(ended, t) != CharacterErrorRate{}(y, t));
}

TEST_CASE("blank_behind: lengths and shapes that do not fit are Errors") {
  const Tensor y = torch::zeros({2, 5, 3});
  const auto text = [&](const Tensor& logits, const Tensor& lengths, int64_t blank = 0) {
    return error_text([&] { blank_behind(logits, lengths, blank); });
  };
  CHECK(contains(text(y, torch::tensor({5, 6})),
                 "the length of row 1 is 6, but the prediction has 5 steps"));
  CHECK(contains(text(y, torch::tensor({-1, 5})), "the length of row 0 is -1"));
  CHECK(contains(text(y, torch::tensor({5, 5, 5})), "expected [N, steps, C]"));
  CHECK(contains(text(y, torch::tensor({5.0, 5.0})), "[N] whole numbers"));
  CHECK(contains(text(y[0], torch::tensor({5, 5})), "the logits have shape [5, 3]"));
  CHECK(contains(text(y, torch::tensor({5, 5}), 3), "the blank is class 3"));
}
