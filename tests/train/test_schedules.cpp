#include "catch.hpp"
#include "golden.hpp"
#include "mtl/train/train.hpp"

namespace {

using Rate = std::function<double(int64_t)>;

Rate schedule_of(const nlohmann::json& c) {
  const std::string name = c["name"];
  static constexpr double base = 0.1;
  if (name == "step")
    return [s = mtl::StepLr{.step_size = c["step_size"], .gamma = c["gamma"]}](int64_t e) {
      return s.rate(base, e);
    };
  if (name == "multi_step")
    return [s = mtl::MultiStepLr{.milestones = c["milestones"].get<std::vector<int64_t>>(),
                                 .gamma = c["gamma"]}](int64_t e) { return s.rate(base, e); };
  if (name == "exponential")
    return [s = mtl::ExponentialLr{.gamma = c["gamma"]}](int64_t e) { return s.rate(base, e); };
  if (name == "cosine")
    return [s = mtl::CosineLr{.t_max = c["t_max"], .eta_min = c["eta_min"]}](int64_t e) {
      return s.rate(base, e);
    };
  if (name == "cosine_warm_restarts")
    return [s = mtl::CosineWarmRestartsLr{.t_0 = c["t_0"], .t_mult = c["t_mult"]}](int64_t e) {
      return s.rate(base, e);
    };
  if (name == "linear_warm_up")
    return [s = mtl::LinearWarmUpLr{.start_factor = c["start_factor"], .total = c["total"]}](
               int64_t e) { return s.rate(base, e); };
  if (name == "polynomial")
    return [s = mtl::PolynomialLr{.total = c["total"], .power = c["power"]}](int64_t e) {
      return s.rate(base, e);
    };
  if (name == "one_cycle")
    return [s = mtl::OneCycleLr{.max_lr = c["max_lr"],
                                .total_steps = c["total_steps"],
                                .pct_start = c["pct_start"],
                                .div_factor = c["div_factor"],
                                .final_div_factor = c["final_div_factor"]}](int64_t e) {
      return s.rate(base, e);
    };
  return {};
}

}  // namespace

TEST_CASE("schedules: learning rates match torch's schedulers epoch by epoch") {
  int matched = 0;
  const auto cases = golden("schedules.json")["schedules"];
  for (const auto& c : cases) {
    const Rate rate = schedule_of(c);
    if (!rate) continue;
    INFO(c["name"].get<std::string>());
    for (size_t e = 0; e < c["lr"].size(); ++e)
      CHECK(rate(static_cast<int64_t>(e)) ==
            Approx(c["lr"][e].get<double>()).epsilon(1e-12).margin(1e-14));
    ++matched;
  }
  CHECK(matched == 8);
}

TEST_CASE("ReduceOnPlateauLr: reduces in the epochs in which torch's does") {
  const auto cases = golden("schedules.json")["schedules"];
  for (const auto& c : cases) {
    if (c["name"] != "reduce_on_plateau") continue;
    mtl::ReduceOnPlateauLr plateau{.factor = c["factor"], .patience = c["patience"]};
    double rate = c["lr"][0];
    for (size_t e = 0; e < c["metric"].size(); ++e) {
      CHECK(rate == Approx(c["lr"][e].get<double>()).epsilon(1e-12));
      if (plateau.reduces_after(c["metric"][e])) rate *= plateau.factor;
    }
  }
}

TEST_CASE("EarlyStopping: strictly worse counts, equal or better resets") {
  const auto cases = golden("schedules.json")["early_stopping"];
  for (const auto& c : cases) {
    mtl::EarlyStopping stopping{.patience = c["patience"]};
    int stopped = -1, epoch = 0;
    for (double value : c["values"]) {
      if (stopping.stops_after(value)) {
        stopped = epoch;
        break;
      }
      ++epoch;
    }
    CHECK(stopped == (c["stops_after_epoch"].is_null() ? -1 : c["stops_after_epoch"].get<int>()));
  }
}

TEST_CASE("OneCycleLr: a rise of a single step is at the top") {
  const mtl::OneCycleLr schedule{.max_lr = 0.1, .total_steps = 10, .pct_start = 0.1};
  CHECK(schedule.rate(1, 0) == 0.1);
  CHECK(schedule.rate(1, 9) == Approx(0.1 / 25 / 1e4));
}
