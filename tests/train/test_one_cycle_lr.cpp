#include <cmath>

#include "catch.hpp"
#include "error_text.hpp"
#include "logged_run.hpp"
#include "mtl/task/tasks.hpp"
#include "schedule_golden.hpp"

TEST_CASE("OneCycleLr: the rates of torch's scheduler") {
  check_against_torch("one_cycle", [](const auto& c) {
    return mtl::OneCycleLr{.max_lr = c["max_lr"],
                           .total_steps = c["total_steps"],
                           .pct_start = c["pct_start"],
                           .div_factor = c["div_factor"],
                           .final_div_factor = c["final_div_factor"]};
  });
}

TEST_CASE("OneCycleLr: a rise of a single step is at the top") {
  const mtl::OneCycleLr schedule{.max_lr = 0.1, .total_steps = 10, .pct_start = 0.1};
  CHECK(schedule.rate(1, 0) == 0.1);
  CHECK(schedule.rate(1, 9) == Approx(0.1 / 25 / 1e4));
}

TEST_CASE("OneCycleLr: a run of one step has a rate") {
  for (double pct_start : {0.0, 0.3, 1.0})
    CHECK(mtl::OneCycleLr{.total_steps = 1, .pct_start = pct_start}.rate(0.1, 0) > 0);
}

TEST_CASE("OneCycleLr: options that make no sense are errors when it joins") {
  CHECK(joining_error(mtl::OneCycleLr{}).empty());
  CHECK(contains(joining_error(mtl::OneCycleLr{.max_lr = -1}), "OneCycleLr: found max_lr -1"));
  CHECK(contains(joining_error(mtl::OneCycleLr{.total_steps = -1}), "found total_steps -1"));
  CHECK(contains(joining_error(mtl::OneCycleLr{.pct_start = 1.5}), "found pct_start 1.5"));
  CHECK(contains(joining_error(mtl::OneCycleLr{.div_factor = 0}), "found div_factor 0"));
  CHECK(contains(joining_error(mtl::OneCycleLr{.final_div_factor = 0}), "final_div_factor 0"));
}

TEST_CASE("OneCycleLr: the whole run of a combiner that takes several batches a step") {
  torch::manual_seed(1);
  mtl::TaskRegistry tasks;
  for (const auto* name : {"a", "b"})
    tasks.add({.name = name, .head = mtl::nn::LinearHead(4, 1), .loss = mtl::MeanSquaredError{}});
  auto model = mtl::HardSharing(mtl::nn::MlpEncoder({.input_size = 3, .hidden_sizes = {4}}), tasks);
  torch::optim::SGD sgd(model->parameters(), 0.1);
  mtl::BatchLoader loader(two_targets(false), {.batch_size = 2});  // 20 batches, 7 steps an epoch
  struct Rates {
    std::vector<double>* all;
    void on_gradients(mtl::TrainState& state) { all->push_back(state.rates.now()[0]); }
  };
  std::vector<double> rates;
  mtl::Trainer(model, sgd, mtl::MoDo(), {.epochs = 3})
      .fit(loader, mtl::OneCycleLr{}, Rates{&rates});
  REQUIRE(rates.size() == 21);
  const mtl::OneCycleLr by_batch{.total_steps = 60};
  for (size_t step = 0; step < rates.size(); ++step)
    CHECK(rates[step] ==
          by_batch.rate(0.1, static_cast<int64_t>(20 * (step / 7) + 3 * (step % 7))));
  CHECK(rates.back() < 0.001);
}
