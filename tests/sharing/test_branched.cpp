#include "catch.hpp"
#include "error_text.hpp"
#include "some_models.hpp"

TEST_CASE("Branched: tasks part at the stem; a branch of one task belongs to it") {
  mtl::Branched model(layer(2, 4), {{layer(4, 5), {"a", "c"}}, {layer(4, 5), {"b"}}},
                      three_tasks(5));
  const auto out = model->forward({{"x", torch::randn({3, 2})}});
  CHECK(out.size() == 3);
  CHECK(model->parameters().size() == 12);
  CHECK(model->shared_parameters().size() == 4);   // stem, and the branch of a and c
  CHECK(model->task_parameters("b").size() == 4);  // its head and its branch
  CHECK(model->named_parameters().contains("branches.1.layers.0.weight"));
  const auto gradient = torch::autograd::grad({out["b"].sum()}, model->task_parameters("b"));
  for (const auto& g : gradient) CHECK(g.defined());
}

TEST_CASE("Branched: a task in no branch, in two, or unknown is an error") {
  const auto text = [](std::vector<mtl::Branched::Branch> branches) {
    return error_text([&] { mtl::Branched(layer(2, 4), std::move(branches), three_tasks(5)); });
  };
  CHECK(contains(text({{layer(4, 5), {"a", "b"}}}), "task \"c\" is in no branch"));
  CHECK(contains(text({{layer(4, 5), {"a", "b"}}, {layer(4, 5), {"b", "c"}}}),
                 "task \"b\" is in branches 0 and 1"));
  CHECK(
      contains(text({{layer(4, 5), {"a", "b", "c", "d"}}}), "no task \"d\"; registered: a, b, c"));
  CHECK(
      contains(text({{layer(4, 5), {"a", "b", "c"}}, {layer(4, 5), {}}}), "branch 1 has no tasks"));
}

TEST_CASE("Branched: an error names the branch that does not take the stem's output") {
  mtl::Branched model(layer(2, 4), {{layer(4, 5), {"a", "c"}}, {layer(3, 5), {"b"}}},
                      three_tasks(5));
  CHECK(contains(error_text([&] {
                   model->forward({{"x", torch::randn({3, 2})}});
                 }),
                 "branch 1 does not take the stem's output [3, 4]"));
}

TEST_CASE("Branched: a branch may part again; one task behind a branch makes it that task's") {
  const auto tree = [] {
    return mtl::Branched(
        layer(2, 4),
        {{.encoder = layer(4, 6), .branches = {{layer(6, 5), {"a"}}, {layer(6, 5), {"b"}}}},
         {layer(4, 6), {}, {{layer(6, 5), {"c"}}}}},
        three_tasks(5));
  };
  auto model = tree();
  const auto x = torch::randn({3, 2});
  const auto out = model->forward({{"x", x}});
  CHECK(out.keys() == std::vector<std::string>{"a", "b", "c"});
  CHECK(model->shared_parameters().size() == 2 + 2);       // the stem, and the branch of a and b
  CHECK(model->task_parameters("a").size() == 2 + 2);      // head and branch
  CHECK(model->task_parameters("c").size() == 2 + 2 + 2);  // head and both branches
  CHECK(model->named_parameters().contains("branches.0-1.layers.0.weight"));
  CHECK(mtl::clone(model)->forward({{"x", x}})["c"].equal(out["c"]));
  CHECK(contains(error_text([] {
                   mtl::Branched(layer(2, 4),
                                 {{layer(4, 6), {"a", "b"}, {{layer(6, 5), {"c", "a"}}}}},
                                 three_tasks(5));
                 }),
                 "task \"a\" is in branches 0 and 0-0"));
  CHECK(contains(error_text([] {
                   mtl::Branched(layer(2, 4), {{layer(4, 6), {}, {{layer(5, 5), {"a", "b", "c"}}}}},
                                 three_tasks(5))
                       ->forward({{"x", torch::randn({3, 2})}});
                 }),
                 "branch 0-0 does not take the output of branch 0 [3, 6]"));
}
