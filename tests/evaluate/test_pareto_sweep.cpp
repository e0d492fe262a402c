#include <cmath>
#include <nlohmann/json.hpp>

#include "catch.hpp"
#include "error_text.hpp"
#include "mtl/combine/make_combiner.hpp"
#include "mtl/evaluate/pareto_sweep.hpp"
#include "temporary_folder.hpp"

using namespace mtl::evaluate;
using mtl::Better;

namespace {

// Two quadratics that pull one number apart, (x - 1)^2 and (x + 1)^2, and an accuracy that falls
// with the second; found by steps of the combiner itself, from x = 0.
std::vector<Score> pulled_apart(const Trial& trial) {
  auto x = torch::tensor(0.1, torch::dtype(torch::kDouble).requires_grad(true));
  const auto combiner = mtl::make_combiner(trial.method, 2);
  for (int step = 0; step < 400; ++step) {
    x.mutable_grad().reset();
    combiner->backward(mtl::task_losses({(x - 1).square(), (x + 1).square()}), {.shared = {x}});
    torch::NoGradGuard no_grad;
    x -= 0.05 * x.grad();
  }
  const double at = x.item<double>() + 1e-3 * static_cast<double>(trial.seed);
  return {{"a", "loss", std::pow(at - 1, 2), Better::lower},
          {"b", "loss", std::pow(at + 1, 2), Better::lower},
          {"b", "accuracy", 1 - std::pow(at + 1, 2) / 4, Better::higher}};
}

SweepOptions sweep_in(const std::filesystem::path& folder) {
  return {.tasks = {"a", "b"}, .steps = 4, .seeds = 2, .directory = folder};
}

}  // namespace

TEST_CASE("pareto_sweep: fixed weights, STCH and PBI walk along the front") {
  const TemporaryFolder folder;
  int64_t runs = 0;
  const auto recipe = [&](const Trial& trial) {
    ++runs;
    return pulled_apart(trial);
  };
  const Front front = pareto_sweep(sweep_in(folder.path()), recipe);
  CHECK(runs == 3 * 5 * 2);
  REQUIRE(front.points.size() == 15);
  REQUIRE(front.objectives.size() == 2);
  CHECK(front.objectives[1].metric == "accuracy");  // its first metric, not its loss
  CHECK(front.objectives[1].better == Better::higher);
  for (const auto& point : front.points) {
    INFO(point.method << " " << point.preference[0]);
    CHECK(point.preference[0] + point.preference[1] == Approx(1));
    // Nobody leaves the segment between the two optima, so nobody beats another. Means of two
    // seeds lie next to it.
    CHECK(point.values[0] <= 4.02);
    CHECK(std::sqrt(point.values[0]) + 2 * std::sqrt(1 - point.values[1]) ==
          Approx(2).margin(0.01));
    if (point.method == "fixed")  // the optimum of w a + (1 - w) b is x = 2 w - 1
      CHECK(std::sqrt(point.values[0]) == Approx(2 - 2 * point.preference[0]).margin(0.01));
  }
  REQUIRE(front.volumes.size() == 4);
  CHECK(front.volumes.back().method.empty());
  for (const auto& volume : front.volumes) {
    CHECK(volume.value <= front.volumes.back().value + 1e-12);
    CHECK(volume.share >= 0);
    CHECK(volume.share <= 1);
  }
  CHECK(contains(front.text(), "hypervolume of stch"));
  CHECK(front.json()["points"].size() == 15);
  // What has been run is not run again.
  CHECK(pareto_sweep(sweep_in(folder.path()), recipe).text() == front.text());
  CHECK(runs == 30);
}

TEST_CASE("pareto_sweep: a volume by hand, and a run that gave no number is on no front") {
  const TemporaryFolder folder;
  auto options = sweep_in(folder.path());
  options.methods = {"fixed"};
  options.steps = 3;
  options.seeds = 1;
  options.reference = {4, 0};  // of an error and an accuracy
  const auto recipe = [](const Trial& trial) -> std::vector<Score> {
    const double at = trial.method.ends_with("=1/0") ? NAN : 1;
    const bool even = trial.method.ends_with("=0/1");
    return {{"a", "mae", at * (even ? 3 : 1), Better::lower},
            {"b", "accuracy", even ? 0.5 : 0.25, Better::higher}};
  };
  const Front front = pareto_sweep(options, recipe);
  REQUIRE(front.points.size() == 4);
  CHECK_FALSE(front.points[0].on_front);
  CHECK(front.points[1].on_front);
  CHECK(front.points[3].on_front);
  CHECK(std::isnan(front.points[1].deviations[0]));
  // (4 - 3) x 0.5 and (4 - 1) x 0.25, which share 1 x 0.25, in a box of 3 x 0.5.
  CHECK(front.volumes.back().value == Approx(1.0));
  CHECK(front.volumes.back().share == Approx(1.0 / 1.5));
  const std::vector<double> given{4, 0};
  CHECK(front.reference == given);
}

TEST_CASE("pareto_sweep: options that make no sense are refused before anything runs") {
  const TemporaryFolder folder;
  const auto text_of = [&](auto change) {
    auto options = sweep_in(folder.path() / "new");
    change(options);
    return error_text([&] { pareto_sweep(options, pulled_apart); });
  };
  CHECK(contains(text_of([](auto& o) { o.tasks = {"a"}; }), "at least 2 tasks"));
  CHECK(contains(text_of([](auto& o) { o.methods = {}; }), "needs methods"));
  CHECK(contains(text_of([](auto& o) { o.seeds = 0; }), "seeds = 0"));
  CHECK(contains(text_of([](auto& o) { o.steps = 0; }), "0 steps"));
  CHECK(contains(text_of([](auto& o) { o.reference = {1}; }), "finite reference"));
  CHECK(contains(text_of([](auto& o) { o.directory.clear(); }), "directory"));
  CHECK_FALSE(std::filesystem::exists(folder.path() / "new"));
}
