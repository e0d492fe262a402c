#include "error_text.hpp"
#include "way_checks.hpp"

namespace {

using Level = mtl::ProgressiveLayeredExtraction::Level;

Level extraction_level(int64_t in, int64_t tasks, int64_t own, int64_t shared) {
  const auto experts = [in](int64_t count) {
    return mtl::several(count, [in] { return tanh_layer(in, 4); });
  };
  return {.by_task = mtl::several(tasks, [&] { return experts(own); }),
          .shared = experts(shared),
          .gate_input_size = in};
}

mtl::ProgressiveLayeredExtraction extraction(const std::vector<std::string>& tasks, int levels,
                                             int64_t own, int64_t shared) {
  std::vector<Level> all;
  for (int l = 0; l < levels; ++l)
    all.push_back(
        extraction_level(l == 0 ? 2 : 4, static_cast<int64_t>(tasks.size()), own, shared));
  return mtl::ProgressiveLayeredExtraction(std::move(all), tasks_named(tasks));
}

}  // namespace

TEST_CASE("ProgressiveLayeredExtraction: predictions and gradients are the formula's") {
  check_golden("cgc", *extraction({"a", "b", "c"}, 1, 2, 1));
  check_golden("ple", *extraction({"a", "b", "c"}, 2, 2, 1));
  check_golden("ple_three_levels", *extraction({"a", "b", "c"}, 3, 1, 2));
  check_golden("ple", *extraction({"a"}, 2, 2, 1));
}

TEST_CASE("ProgressiveLayeredExtraction: a parameter is a task's where it reaches no other") {
  for (const int levels : {1, 2, 3}) {
    auto model = extraction({"a", "b", "c"}, levels, 2, 1);
    check_ownership(*model);
    check_copies(model);
  }
}

TEST_CASE("ProgressiveLayeredExtraction: parameters counted as in the paper") {
  // An expert has 2 * 4 + 4 parameters, in the second level 4 * 4 + 4; the gates of three tasks see
  // 2 + 1 experts each, the shared gate of the first level all 3 * 2 + 1.
  auto model = extraction({"a", "b", "c"}, 2, 2, 1);
  CHECK(element_count(model->parameters()) ==
        (7 * 12 + 3 * 3 * 2 + 7 * 2) + (7 * 20 + 3 * 3 * 4) + 3 * 5);
  CHECK(element_count(model->task_parameters("a")) == 2 * 20 + 3 * 4 + 3 * 2 + 5);
  CHECK(model->named_parameters().contains("levels.0.shared_gate.weight"));
  CHECK_FALSE(model->named_parameters().contains("levels.1.shared_gate.weight"));
}

TEST_CASE("ProgressiveLayeredExtraction: without experts of a task's own it is MMoE") {
  auto cgc = extraction({"a", "b"}, 1, 0, 3);
  mtl::MixtureOfExperts mixture(mtl::several(3, [] { return tanh_layer(2, 4); }),
                                mtl::clone(cgc->tasks()), {.gate_input_size = 2});
  auto weights = mtl::nn::weights(*mixture);
  for (const auto& item : mtl::nn::weights(*cgc)) {
    std::string name = item.key();
    if (name.starts_with("levels.0.shared")) name = "experts" + name.substr(15);
    if (name.starts_with("levels.0.gates")) name = name.substr(9);
    weights[name].copy_(item.value());
  }
  const auto x = torch::randn({3, 2});
  CHECK(cgc->forward({{"x", x}})["b"].allclose(mixture->forward({{"x", x}})["b"]));
}

TEST_CASE("ProgressiveLayeredExtraction: levels that do not fit are errors") {
  const auto text = [](std::vector<Level> levels) {
    return error_text([&] {
      mtl::ProgressiveLayeredExtraction(std::move(levels), tasks_named({"a", "b"}))
          ->forward({{"x", torch::randn({3, 2})}});
    });
  };
  CHECK(contains(text({}), "no level"));
  CHECK(contains(text({extraction_level(2, 1, 1, 1)}),
                 "found 1 lists of experts in level 0 for 2 tasks"));
  CHECK(contains(text({extraction_level(2, 2, 1, 0)}), "level 0 has no shared expert"));
  Level twice = extraction_level(2, 2, 1, 1);
  twice.shared[0] = twice.by_task[1][0];
  CHECK(contains(text({twice}), "1 and 2 are one module"));
  Level wide = extraction_level(2, 2, 1, 1);
  wide.shared[0] = tanh_layer(2, 5);
  CHECK(contains(text({wide}), "expert 2 of all in level 0 gives [3, 5]"));
  CHECK(contains(text({extraction_level(2, 2, 1, 1), extraction_level(3, 2, 1, 1)}),
                 "task \"a\"'s expert 0 of level 1 does not take the level's input [3, 4]"));
  Level gate = extraction_level(2, 2, 1, 1);
  gate.gate_input_size = 5;
  CHECK(contains(text({gate}), "the gate of task \"a\" in level 0 does not take"));
}
