#include <cmath>
#include <nlohmann/json.hpp>

#include "catch.hpp"
#include "error_text.hpp"
#include "mtl/io/json.hpp"
#include "mtl/report/reliability.hpp"
#include "mtl/task/metrics/calibration_error.hpp"

using namespace mtl;
using namespace mtl::report;

TEST_CASE("reliability: the same error as the metric, by bin what was said and what was right") {
  torch::manual_seed(3);
  const Tensor logits = 2 * torch::randn({400, 4});
  const Tensor classes = torch::randint(4, {400}, torch::kLong);
  ReliabilityChart chart{.title = "Weather"};
  const auto [given, said] = logits.to(torch::kDouble).softmax(1).max(1);
  for (int64_t i = 0; i < 400; ++i) {
    chart.probability.push_back(given[i].item<double>());
    chart.right.push_back((said[i] == classes[i]).item<bool>() ? 1 : 0);
  }
  const Figure figure = reliability_chart(chart);
  const io::Json values = io::parse_json(figure.values);
  CHECK(values["calibration_error"].get<double>() ==
        Approx(CalibrationError{}(logits.to(torch::kDouble), classes)).epsilon(1e-12));
  int64_t answers = 0;
  for (const auto& bin : values["bins"]) {
    CHECK(bin["low"].get<double>() <= bin["right"].get<double>());
    CHECK(bin["high"].get<double>() >= bin["right"].get<double>());
    answers += bin["answers"].get<int64_t>();
  }
  CHECK(answers == 400);
}

TEST_CASE("reliability: by hand, ends and soft truths included, pairs with a NaN left out") {
  const Figure figure = reliability_chart({.title = "t",
                                           .probability = {0, 0.5, 0.5, 1, NAN, 0.3},
                                           .right = {0, 0.25, 0.5, 1, 1, NAN},
                                           .bins = 2});
  CHECK(figure.title == "t: calibration error 6.2\u00a0%");  // |0 + .5 + .5 - .75| of 4
  const io::Json bins = io::parse_json(figure.values)["bins"];
  REQUIRE(bins.size() == 2);
  CHECK(bins[0]["answers"] == 3);
  CHECK(bins[0]["right"].get<double>() == Approx(0.25));
  CHECK(bins[1]["probability"] == 1);
}

TEST_CASE("reliability: what is none is an error, and the picture is drawn") {
  const auto text = [](ReliabilityChart chart) {
    return error_text([&] { reliability_chart(chart); });
  };
  CHECK(contains(text({.title = "t"}), "there is no answer"));
  CHECK(contains(text({.title = "t", .probability = {0.5}, .right = {}}), "1 probabilities for 0"));
  CHECK(contains(text({.title = "t", .probability = {1.5}, .right = {1}}), "probability 1.5"));
  CHECK(contains(text({.title = "t", .probability = {1}, .right = {1}, .bins = 0}), "0 bins"));
  try {
    const std::string svg =
        draw(reliability_chart({.title = "<t>", .probability = {0.9, 0.2}, .right = {1, 0}}),
             Format::svg);
    for (const auto* part : {"&lt;t>", "as sure as right", "share of right answers"})
      CHECK(contains(svg, part));
  } catch (const NoGnuplot& missing) {
    WARN(missing.what());
  }
}
