// Every combiner on every way of sharing.
#include "all_ways.hpp"
#include "error_text.hpp"
#include "mtl/combine/make_combiner.hpp"
#include "way_checks.hpp"

namespace {

bool has_site(const std::string& combiner) {
  for (const auto& option : mtl::combiner_options(combiner))
    if (option.name == "at") return true;
  return false;
}

std::unique_ptr<mtl::Combiner> combiner_for_three(const std::string& name,
                                                  const std::string& option = "") {
  std::string text = name;
  if (name == "fixed") text += ":weights=1/1/1";
  if (name == "krum") text += ":byzantine=0";
  if (!option.empty()) text += (text == name ? ":" : ",") + option;
  return mtl::make_combiner(text, 3);
}

/// The Error of one step, empty where there is none; the gradients are finite, and there are some.
std::string step_error(mtl::Model& model, mtl::Combiner& combiner) {
  const mtl::Batch batch{
      {{"x", torch::randn({6, 2})}},
      {{"a", torch::rand({6})}, {"b", torch::rand({6})}, {"c", torch::rand({6})}}};
  const auto losses_of = [&] {
    return mtl::task_losses(model, model.forward(batch.inputs), batch);
  };
  return error_text([&] {
    auto losses = losses_of();
    losses.same_batch = losses.another_batch = losses_of;
    combiner.backward(losses, model);
    int64_t with_gradient = 0;
    for (const auto& parameter : model.parameters())
      if (parameter.grad().defined()) {
        ++with_gradient;
        CHECK(parameter.grad().isfinite().all().item<bool>());
      }
    CHECK(with_gradient > 0);
  });
}

}  // namespace

TEST_CASE("ways of sharing: every combiner makes a step on every one, at the shared parameters") {
  torch::manual_seed(1);
  for (const Way& way : all_ways())
    for (const std::string& name : mtl::combiner_names()) {
      INFO(way.name << ", " << name);
      const auto model = way.make(tasks_named({"a", "b", "c"}));
      const auto combiner = combiner_for_three(name);
      CHECK(step_error(*model, *combiner).empty());
    }
}

TEST_CASE("ways of sharing: at the representation where there is one, or an Error that says so") {
  torch::manual_seed(1);
  for (const Way& way : all_ways()) {
    std::set<bool> worked;
    for (const std::string& name : mtl::combiner_names()) {
      if (!has_site(name)) continue;
      INFO(way.name << ", " << name);
      const auto model = way.make(tasks_named({"a", "b", "c"}));
      const auto text = step_error(*model, *combiner_for_three(name, "at=representation"));
      CHECK((text.empty() || contains(text, "representation")));
      worked.insert(text.empty());
    }
    INFO(way.name);
    CHECK(worked.size() == 1);  // all methods, or none
    CHECK(worked.contains(way.name == "hard" || way.name == "FiLM at the end"));
  }
}

TEST_CASE("ways of sharing: each is remade by clone, and lists its tensors once") {
  for (const Way& way : all_ways()) {
    INFO(way.name);
    const auto model = way.make(tasks_named({"a", "b", "c"}));
    const auto copy = mtl::clone(*model);
    CHECK(same_weights(*model, *copy));
    check_ownership(*copy);
  }
}

TEST_CASE("ways of sharing: each reads the input it was told, or says that it is not there") {
  const auto x = torch::randn({3, 2});
  const mtl::NamedTensors both = {{"y", torch::randn({3, 9})}, {"x", x}};
  for (const Way& way : all_ways()) {
    INFO(way.name);
    const auto model = way.make(tasks_named({"a", "b", "c"}));
    CHECK(contains(error_text([&] { model->forward(both); }), "2 inputs"));
  }
  mtl::MixtureOfExperts told(two_experts(), tasks_named({"a"}), {.gate_input_size = 2}, "x");
  CHECK(told->forward(both)["a"].size(0) == 3);
  mtl::CrossStitch stitched(three_columns(), tasks_named({"a", "b", "c"}), {}, "x");
  CHECK(stitched->forward(both)["a"].size(0) == 3);
  CHECK(contains(error_text([&] { stitched->forward({{"y", x}}); }), "no input \"x\""));
}
