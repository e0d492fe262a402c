// Tasks added to every way of sharing and dropped from it.
#include <variant>

#include "all_ways.hpp"
#include "error_text.hpp"
#include "mtl/combine/losses/kendall_uncertainty.hpp"

namespace {

const std::set<std::string> mixed_ways = {"cross-stitch", "sluice", "PLE"};

/// A model of a way, with weights as after some training, that answers.
std::shared_ptr<mtl::Model> trained_of(const Way& way) {
  auto model = way.make(tasks_named({"a", "b", "c"}));
  const torch::NoGradGuard no_grad;
  for (auto& parameter : model->parameters()) parameter.add_(0.3 * torch::randn_like(parameter));
  model->eval();
  return model;
}

/// An inputs' encoder before a way of sharing.
Way joined_way() {
  return {"joined", [](mtl::TaskRegistry tasks) {
            return mtl::JoinedInputs({{"x", tanh_layer(2, 2)}},
                                     mtl::MixtureOfExperts(two_experts(), std::move(tasks),
                                                           {.gate_input_size = 2}))
                .ptr();
          }};
}

std::vector<Way> all_ways_and_joined() {
  auto ways = all_ways();
  ways.push_back(joined_way());
  return ways;
}

mtl::Task task_called(const std::string& name, mtl::Head head = mtl::nn::LinearHead(4, 1)) {
  return {.name = name, .head = std::move(head), .loss = squared_error};
}

/// What a task brings where its way of sharing asks for parts.
mtl::NewTaskParts parts_for(const std::string& way) {
  if (way == "soft") return {.parts = {tanh_layer(2, 4)}};
  if (way == "MTAN" || way == "branched") return {.parts = {tanh_layer(4, 4)}};
  if (way == "CGC") return {.parts = {tanh_layer(2, 4), tanh_layer(2, 4)}};
  return {};
}

void check_same_answers(mtl::Model& before, mtl::Model& after, const std::set<std::string>& tasks) {
  const auto x = torch::randn({33, 2});
  const auto expected = before.forward({{"x", x}}), found = after.forward({{"x", x}});
  for (const auto& name : tasks) {
    INFO(name);
    CHECK(found[name].equal(expected[name]));
  }
}

/// Each tensor of the changed model that the one before has, once.
void check_kept(const mtl::Changed<std::shared_ptr<mtl::Model>>& changed,
                const mtl::Model& before) {
  std::set<const void*> of_before, of_after, kept;
  for (const auto& parameter : before.parameters())
    of_before.insert(parameter.unsafeGetTensorImpl());
  for (const auto& parameter : changed.model->parameters())
    of_after.insert(parameter.unsafeGetTensorImpl());
  for (const auto& tensor : changed.kept) {
    CHECK(of_before.contains(tensor.before.unsafeGetTensorImpl()));
    CHECK(of_after.contains(tensor.after.unsafeGetTensorImpl()));
    CHECK(kept.insert(tensor.after.unsafeGetTensorImpl()).second);
    CHECK(tensor.after.equal(tensor.before));
  }
}

/// A model of one's own that says how its tasks change, and one that does not.
template <bool changes>
struct OwnImpl : mtl::Model, std::conditional_t<changes, mtl::ChangesTasks, std::monostate> {
  OwnImpl(mtl::Encoder encoder, mtl::TaskRegistry tasks)
      : Model(std::move(tasks)), encoder_(std::move(encoder)) {
    register_part("encoder", encoder_);
    for (const auto& task : this->tasks())
      scales.push_back(register_weight("scales." + task.name, torch::ones({1})));
    register_heads();
  }
  mtl::NamedTensors forward(const mtl::NamedTensors& inputs) override {
    mtl::NamedTensors out;
    for (int64_t t = 0; t < tasks().size(); ++t)
      out.insert(tasks()[t].name, scales[static_cast<size_t>(t)] *
                                      answer(tasks()[t], encode(encoder_, inputs, "x")));
    return out;
  }
  std::shared_ptr<mtl::Model> with_tasks(mtl::TaskChange& change) const {
    change.require_no_parts("Own");
    return std::make_shared<OwnImpl>(change.copy(encoder_), change.tasks());
  }
  std::vector<torch::Tensor> scales;

 private:
  mtl::Encoder encoder_;
};

}  // namespace

TEST_CASE("drop_task: the others predict what they did, or the way of sharing is refused by name") {
  torch::manual_seed(1);
  for (const Way& way : all_ways_and_joined()) {
    INFO(way.name);
    const auto model = trained_of(way);
    const auto as_it_was = mtl::clone(*model);
    if (mixed_ways.contains(way.name)) {
      const auto text = error_text([&] { mtl::drop_task(*model, "b"); });
      CHECK(contains(text, "\"b\""));
      CHECK((contains(text, "CrossStitch") || contains(text, "Sluice") ||
             contains(text, "ProgressiveLayeredExtraction of several levels")));
    } else if (way.name == "derived") {
      CHECK(contains(error_text([&] { mtl::drop_task(*model, "b"); }),
                     "task \"c\" is derived from \"b\""));
      CHECK(contains(error_text([&] { mtl::drop_task(*model, "c"); }), "only derived task"));
    } else {
      const auto changed = mtl::drop_task(*model, "b");
      CHECK(task_names(*changed.model) == std::vector<std::string>{"a", "c"});
      check_same_answers(*model, *changed.model, {"a", "c"});
      check_kept(changed, *model);
      CHECK(changed.kept.size() == changed.model->parameters().size());
      check_ownership(*mtl::drop_task(*way.make(tasks_named({"a", "b", "c"})), "b").model);
    }
    CHECK(same_weights(*model, *as_it_was));
  }
}

TEST_CASE("add_task: the others predict what they did, one like another begins as that") {
  torch::manual_seed(2);
  for (const Way& way : all_ways_and_joined()) {
    INFO(way.name);
    const auto model = trained_of(way);
    const auto as_it_was = mtl::clone(*model);
    const auto head = mtl::clone(model->tasks().at("a").head);
    if (mixed_ways.contains(way.name)) {
      CHECK(contains(error_text([&] { mtl::add_task(*model, task_called("d", head)); }),
                     "with \"d\" beside them"));
    } else {
      const auto changed = mtl::add_task(*model, task_called("d", head), {.like = "a"});
      CHECK(changed.model->tasks().contains("d"));
      check_same_answers(*model, *changed.model, {"a", "b", "c"});
      const auto out = changed.model->forward({{"x", torch::randn({5, 2})}});
      CHECK(out["d"].equal(out["a"]));
      check_kept(changed, *model);
      CHECK(changed.kept.size() == model->parameters().size());
      if (way.name != "derived")  // dropped again, all is as it was
        CHECK(same_weights(*mtl::drop_task(*changed.model, "d").model, *model));
    }
    CHECK(same_weights(*model, *as_it_was));
  }
}

TEST_CASE("add_task: with parts of its own where the way of sharing has such, else none") {
  torch::manual_seed(3);
  for (const Way& way : all_ways_and_joined()) {
    if (mixed_ways.contains(way.name)) continue;
    INFO(way.name);
    const auto model = trained_of(way);
    const auto parts = parts_for(way.name);
    const auto changed = mtl::add_task(*model, task_called("d"), parts);
    check_same_answers(*model, *changed.model, {"a", "b", "c"});
    CHECK(changed.model->forward({{"x", torch::randn({5, 2})}})["d"].isfinite().all().item<bool>());
    check_ownership(*mtl::add_task(*way.make(tasks_named({"a", "b", "c"})), task_called("d"),
                                   parts_for(way.name))
                         .model);
    const mtl::NewTaskParts wrong =
        parts.parts.empty() ? mtl::NewTaskParts{.parts = {tanh_layer(2, 4)}} : mtl::NewTaskParts{};
    const auto text = error_text([&] { mtl::add_task(*model, task_called("d"), wrong); });
    CHECK(contains(text, "task \"d\""));
    CHECK(contains(text, "parts"));
  }
}

TEST_CASE("add_task: types, modes and what is frozen stay; the new task goes where the model is") {
  mtl::HardSharing model(torch::nn::Sequential(torch::nn::Linear(2, 4), torch::nn::BatchNorm1d(4)),
                         tasks_named({"a"}));
  model->to(torch::kDouble);
  mtl::freeze(model, "encoder");
  model->train();
  mtl::hold_frozen(model);
  auto [larger, kept] = mtl::add_task(model, task_called("b"));
  const auto parameters = larger->named_parameters();
  CHECK(parameters["heads.b.weight"].scalar_type() == torch::kDouble);
  CHECK(parameters["heads.b.weight"].requires_grad());
  CHECK_FALSE(parameters["encoder.0.weight"].requires_grad());
  CHECK(larger->is_training());
  CHECK_FALSE(larger->encoder().module()->is_training());
  CHECK(larger->tasks().at("b").head.module()->is_training());
  for (const auto& item : mtl::nn::weights(*model))  // LibTorch 1 makes counts double, too
    CHECK(mtl::nn::weights(*larger)[item.key()].scalar_type() == item.value().scalar_type());
  CHECK(larger->forward({{"x", torch::randn({3, 2}, torch::kDouble)}})["b"].size(0) == 3);
}

TEST_CASE("drop_task: a branch goes with its last task, and the names close up") {
  mtl::Branched model(layer(2, 4),
                      {{layer(4, 5), {"a"}}, {layer(4, 5), {"b"}, {{layer(5, 5), {"c"}}}}},
                      three_tasks(5));
  model->eval();
  auto [smaller, kept] = mtl::drop_task(model, "a");
  check_same_answers(*model, *smaller, {"b", "c"});
  CHECK(smaller->branches().size() == 1);
  CHECK(smaller->named_parameters()["branches.0.layers.0.weight"].equal(
      model->named_parameters()["branches.1.layers.0.weight"]));
  CHECK(mtl::drop_task(model, "c").model->branches()[1].branches.empty());
}

TEST_CASE("drop_task: experts that only the dropped task chose no longer run, to the same bits") {
  torch::manual_seed(6);
  mtl::DSelectK model(mtl::several(4, [] { return tanh_layer(2, 4); }),
                      tasks_named({"a", "b", "c"}), {.selected = 2});
  {
    const torch::NoGradGuard no_grad;  // a: experts 0 and 2, b: 1 and 3, c: 0 and 3
    auto weights = model->named_parameters();
    weights["gates.a.code"].copy_(torch::tensor({{-9.0, -9.0}, {-9.0, 9.0}}));
    weights["gates.b.code"].copy_(torch::tensor({{9.0, -9.0}, {9.0, 9.0}}));
    weights["gates.c.code"].copy_(torch::tensor({{-9.0, -9.0}, {9.0, 9.0}}));
  }
  model->eval();
  auto smaller = mtl::drop_task(model, "b").model;
  check_same_answers(*model, *smaller, {"a", "c"});
  auto smallest = mtl::drop_task(smaller, "c").model;
  check_same_answers(*model, *smallest, {"a"});
}

TEST_CASE("add_task: a task with the head of another one shares it") {
  mtl::HardSharing model(layer(2, 4), tasks_named({"a", "b"}));
  auto [larger, kept] = mtl::add_task(model, task_called("a_taught", model->tasks().at("a").head));
  CHECK(larger->tasks().at("a_taught").head.module() == larger->tasks().at("a").head.module());
  CHECK(larger->tasks().at("a").head.module() != model->tasks().at("a").head.module());
  CHECK(larger->parameter_sets().by_task[2].empty());
}

TEST_CASE("change of tasks: a model inside another, derived tasks among them") {
  torch::manual_seed(4);
  mtl::DerivedTasks model(
      mtl::HardSharing(tanh_layer(2, 4), tasks_named({"a", "b"})),
      {{.task = {.name = "sum", .loss = squared_error},
        .from = {"a", "b"},
        .prediction = [](const mtl::NamedTensors& p) { return p["a"] + p["b"]; }},
       {.task = {.name = "twice", .loss = squared_error},
        .from = {"sum"},
        .prediction = [](const mtl::NamedTensors& p) { return 2 * p["sum"]; }}});
  model->eval();
  CHECK(contains(error_text([&] { mtl::drop_task(model, "sum"); }), "\"twice\" is derived from"));
  auto [without, kept] = mtl::drop_task(model, "twice");
  check_same_answers(*model, *without, {"a", "b", "sum"});
  auto [larger, kept_there] = mtl::add_task(model, task_called("c"));
  check_same_answers(*model, *larger, {"a", "b", "sum", "twice"});
  CHECK(task_names(*mtl::drop_task(larger, "c").model) ==
        std::vector<std::string>{"a", "b", "sum", "twice"});
}

TEST_CASE("change of tasks: a model of one's own says how, or is refused") {
  torch::manual_seed(5);
  const auto own = std::make_shared<OwnImpl<true>>(tanh_layer(2, 4), tasks_named({"a", "b"}));
  move_weights(*own);
  const auto changed = mtl::drop_task(*own, "a");
  check_same_answers(*own, *changed.model, {"b"});
  const auto larger = mtl::add_task(*own, task_called("c"), {.like = "b"});
  CHECK(larger.model->named_parameters()["scales.c"].equal(own->scales[1]));
  const auto closed = std::make_shared<OwnImpl<false>>(tanh_layer(2, 4), tasks_named({"a", "b"}));
  CHECK(contains(error_text([&] { mtl::drop_task(*closed, "a"); }), "mtl::ChangesTasks"));
}

TEST_CASE("change of tasks: wrong ones are refused") {
  mtl::HardSharing model(layer(2, 4), tasks_named({"a", "b"})),
      other(layer(2, 4), tasks_named({"a"}));
  const auto text = [&](mtl::Task task, mtl::NewTaskParts parts = {}) {
    return error_text([&] { mtl::add_task(model, std::move(task), std::move(parts)); });
  };
  CHECK(contains(error_text([&] { mtl::drop_task(model, "z"); }), "no task \"z\""));
  CHECK(contains(error_text([&] { mtl::drop_task(other, "a"); }), "only task"));
  CHECK(contains(text(task_called("a")), "registered already"));
  CHECK(contains(text(task_called("c", mtl::Head())), "no head"));
  CHECK(contains(text(task_called("c"), {.like = "z"}), "no task \"z\""));
  CHECK(contains(text(task_called("c"), {.like = "a", .parts = {layer(2, 4)}}), "one of both"));
  CHECK(contains(text(task_called("c", other->tasks().at("a").head)), "another model"));
  mtl::Task alone = task_called("c");
  alone.auxiliary = true;
  const auto both = mtl::add_task(other, alone).model;
  CHECK(contains(error_text([&] { mtl::drop_task(both, "a"); }), "auxiliary"));
}

TEST_CASE(
    "change of tasks: a combiner that keeps something by task is refused with the new model") {
  mtl::HardSharing model(layer(2, 4), tasks_named({"a", "b", "c"}));
  mtl::KendallUncertainty combiner(model->tasks());
  auto smaller = mtl::drop_task(model, "b").model;
  const mtl::Batch batch{{{"x", torch::randn({3, 2})}},
                         {{"a", torch::rand({3})}, {"c", torch::rand({3})}}};
  const auto losses = mtl::task_losses(*smaller, smaller->forward(batch.inputs), batch);
  CHECK(contains(error_text([&] { combiner.backward(losses, smaller); }), "3"));
}
