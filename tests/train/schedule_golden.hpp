#pragma once

#include <string>

#include "golden.hpp"
#include "mtl/train/train.hpp"

/// The rates of `make(case)` match those of torch's scheduler of that name in every epoch.
template <class Make>
void check_against_torch(const std::string& name, Make make) {
  int cases = 0;
  const auto golden_file = golden("schedules.json");
  for (const auto& c : golden_file["schedules"]) {
    if (c["name"] != name) continue;
    ++cases;
    const auto schedule = make(c);
    for (size_t e = 0; e < c["lr"].size(); ++e) {
      INFO(name << ", epoch " << e);
      CHECK(schedule.rate(0.1, static_cast<int64_t>(e)) ==
            Approx(c["lr"][e].template get<double>()).epsilon(1e-12).margin(1e-14));
    }
  }
  CHECK(cases == 1);
}

/// The Error that a callback with such options is when it joins.
template <class C>
std::string joining_error(C callback) {
  return error_text([&] { mtl::Callback joined(std::move(callback)); });
}
