#include <torch/torch.h>

#include "catch.hpp"
#include "error_text.hpp"
#include "mtl/evaluate/combiner_methods.hpp"
#include "mtl/task/metrics/accuracy.hpp"
#include "mtl/task/metrics/mae.hpp"

using namespace mtl::evaluate;
using Texts = std::vector<std::string>;

TEST_CASE("combiner_methods: a list of combiners, their options and commas, single-task left out") {
  CHECK(combiner_methods("single-task,sum,kendall,upgrad") == Texts{"sum", "kendall", "upgrad"});
  CHECK(combiner_methods("sum,single-task") == Texts{"sum"});
  CHECK(combiner_methods("cagrad:c=0.4,rescale=0,sum") == Texts{"cagrad:c=0.4,rescale=0", "sum"});
  CHECK(combiner_methods("sum,fixed:weights=1/0.5,kendall") ==
        Texts{"sum", "fixed:weights=1/0.5", "kendall"});
}

TEST_CASE("combiner_methods: what no combiner is called, and a list without one, are refused") {
  CHECK(contains(error_text([] { combiner_methods("sum,soup"); }), "soup"));
  CHECK(contains(error_text([] { combiner_methods("sum,,kendall"); }), "\"\""));
  CHECK(contains(error_text([] { combiner_methods("rescale=0"); }), "rescale=0"));
  CHECK(contains(error_text([] { combiner_methods("single-task"); }), "names no method"));
}

TEST_CASE("combiner_methods: a trial says what its tasks are trained with") {
  const Trial joint{"kendall", {"a", "b"}, 0, {}}, alone{std::string(single_task), {"b"}, 0, {}};
  CHECK(combiner_of(joint) == "kendall");
  CHECK(combiner_of(alone) == "sum");
  CHECK(trains(joint, "a"));
  CHECK_FALSE(trains(alone, "a"));
}

TEST_CASE("combiner_methods: predictions are scored by the metrics that are given") {
  const std::vector<mtl::Task> tasks = {{.name = "degrees", .metrics = {mtl::Mae{}}},
                                        {.name = "sky", .metrics = {mtl::Accuracy{}}},
                                        {.name = "rain", .metrics = {mtl::Mae{}}}};
  mtl::Predictions found;
  found.predictions = {{"degrees", torch::tensor({1.0, 4.0})},
                       {"sky", torch::tensor({{0.0, 1.0}, {1.0, 0.0}})}};
  found.targets = {{"degrees", torch::tensor({1.5, 3.0})}, {"sky", torch::tensor({1L, 1L})}};
  const auto scores = scores_of(tasks, found);
  REQUIRE(scores.size() == 2);
  CHECK(scores[0].task == "degrees");
  CHECK(scores[0].metric == "mae");
  CHECK(scores[0].value == Approx(0.75));
  CHECK(scores[0].better == mtl::Better::lower);
  CHECK(scores[1].value == Approx(0.5));
  CHECK(scores[1].better == mtl::Better::higher);
}
