#include "error_text.hpp"
#include "way_checks.hpp"

namespace {

mtl::CrossStitch stitched(const std::vector<std::string>& tasks,
                          std::vector<int64_t> channels = {}) {
  return mtl::CrossStitch(mtl::several(static_cast<int64_t>(tasks.size()),
                                       [] {
                                         return mtl::Stages{tanh_layer(2, 4), tanh_layer(4, 4)};
                                       }),
                          tasks_named(tasks), {.channels = std::move(channels)});
}

}  // namespace

TEST_CASE("CrossStitch: predictions and gradients are the formula's") {
  check_golden("cross_stitch", *stitched({"a", "b", "c"}));
  check_golden("cross_stitch_channels", *stitched({"a", "b", "c"}, {4, 4}));
  check_golden("cross_stitch", *stitched({"a"}));
}

TEST_CASE("CrossStitch: the rows of the last stitch are the tasks', all else but heads is shared") {
  for (const auto& channels : {std::vector<int64_t>{}, {4, 4}}) {
    auto model = stitched({"a", "b", "c"}, channels);
    check_ownership(*model);
    const int64_t row = channels.empty() ? 3 : 3 * 4;
    CHECK(element_count(model->task_parameters("b")) == row + (4 + 1));
    CHECK(element_count(model->shared_parameters()) == 3 * ((2 * 4 + 4) + (4 * 4 + 4)) + 3 * row);
    check_copies(model);
  }
}

TEST_CASE("CrossStitch: begins as a convex combination with the task's own part as given") {
  auto model = stitched({"a", "b", "c"});
  CHECK(model->stitch(0).allclose(
      torch::tensor({{0.9, 0.05, 0.05}, {0.05, 0.9, 0.05}, {0.05, 0.05, 0.9}}).to(torch::kFloat)));
  CHECK(stitched({"a"})->stitch(1).equal(torch::ones({1, 1})));
}

TEST_CASE("CrossStitch: pictures, one combination a channel") {
  const auto make = [] {
    return mtl::Stages{
        torch::nn::Conv2d(torch::nn::Conv2dOptions(3, 5, 3)),
        torch::nn::Sequential(torch::nn::AdaptiveAvgPool2d(1), torch::nn::Flatten())};
  };
  mtl::CrossStitch model(mtl::several(2, make), tasks_named({"a", "b"}, 5), {.channels = {5, 5}});
  CHECK(model->forward({{"x", torch::randn({2, 3, 6, 6})}})["b"].sizes() ==
        torch::IntArrayRef({2, 1}));
}

TEST_CASE("CrossStitch: columns that cannot be mixed are errors") {
  const auto made = [](std::vector<mtl::Stages> columns, mtl::CrossStitch::Options options = {}) {
    return error_text([&] {
      mtl::CrossStitch(std::move(columns), tasks_named({"a", "b"}), options)
          ->forward({{"x", torch::randn({3, 2})}});
    });
  };
  CHECK(contains(made({{tanh_layer(2, 4)}}), "found 1 encoders for 2 tasks"));
  CHECK(contains(made({{tanh_layer(2, 4)}, {}}), "the encoder of task \"b\" has no stages"));
  CHECK(contains(made({{tanh_layer(2, 4)}, {tanh_layer(2, 4), tanh_layer(4, 4)}}),
                 "the encoder of task \"b\" has 2 stages, that of task \"a\" 1"));
  const auto one = tanh_layer(2, 4);
  CHECK(contains(made({{one}, {one}}), "are one module"));
  CHECK(contains(made({{tanh_layer(2, 4)}, {tanh_layer(2, 5)}}),
                 "stage 0 of task \"b\" gives [3, 5], and stage 0 of task \"a\" [3, 4]"));
  CHECK(contains(made({{tanh_layer(2, 4)}, {tanh_layer(3, 4)}}),
                 "stage 0 of task \"b\" does not take the input [3, 2]"));
  CHECK(contains(made({{tanh_layer(2, 4)}, {tanh_layer(2, 4)}}, {.channels = {4, 4}}),
                 "channels for 2 stages, and there are 1"));
  CHECK(contains(made({{tanh_layer(2, 4)}, {tanh_layer(2, 4)}}, {.channels = {3}}),
                 "stage 0 gives [3, 4], and was said to have 3 channels"));
}

TEST_CASE("CrossStitch: a stage that is not there has no stitch") {
  CHECK(contains(error_text([&] { stitched({"a", "b"})->stitch(2); }), "no stage 2, but 0 to 1"));
  CHECK(contains(error_text([&] { stitched({"a"})->stitch(2); }), "no stage 2, but 0 to 1"));
}
