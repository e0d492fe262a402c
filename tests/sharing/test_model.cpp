#include <set>

#include "catch.hpp"
#include "error_text.hpp"
#include "mtl/combine/losses/sum.hpp"
#include "some_models.hpp"

namespace {

/// A model of one's own that knows nothing but register_module.
struct PlainImpl : mtl::Model {
  PlainImpl(torch::nn::Linear encoder, mtl::TaskRegistry tasks)
      : Model(std::move(tasks)), linear(register_module("linear", std::move(encoder))) {
    register_heads();
  }
  mtl::NamedTensors forward(const mtl::NamedTensors& inputs) override {
    mtl::NamedTensors out;
    for (const auto& task : tasks())
      out.insert(task.name, task.head.forward(linear->forward(inputs["x"])));
    return out;
  }
  torch::nn::Linear linear;
};
TORCH_MODULE(Plain);

std::multiset<const void*> addresses(const std::vector<torch::Tensor>& tensors) {
  std::multiset<const void*> all;
  for (const auto& tensor : tensors) all.insert(tensor.unsafeGetTensorImpl());
  return all;
}

}  // namespace

TEST_CASE("Model: no task, or a task without a head, is an error") {
  CHECK_THROWS_AS(mtl::HardSharing(layer(2, 4), mtl::TaskRegistry()), mtl::Error);
  mtl::TaskRegistry tasks;
  tasks.add({.name = "a", .loss = squared_error});
  CHECK(contains(error_text([&] { mtl::HardSharing(layer(2, 4), tasks); }),
                 "task \"a\" has no head"));
  CHECK(contains(error_text([&] { mtl::HardSharing(mtl::Encoder(), three_tasks(4)); }),
                 "\"encoder\" is missing"));
}

TEST_CASE("Model: two models never train the same weights") {
  const auto tasks = three_tasks(4);
  const auto encoder = layer(2, 4);
  const mtl::HardSharing first(encoder, tasks);
  SECTION("heads of one registry") {
    const auto text = error_text([&] { mtl::HardSharing(layer(2, 4), tasks); });
    CHECK(contains(text, "the head of task \"a\" belongs to another model"));
    CHECK(contains(text, "mtl::clone"));
    CHECK_NOTHROW(mtl::HardSharing(layer(2, 4), mtl::clone(tasks)));
  }
  SECTION("an encoder") {
    CHECK(contains(error_text([&] { mtl::HardSharing(encoder, three_tasks(4)); }),
                   "\"encoder\" of this model belongs to another model"));
    CHECK_NOTHROW(mtl::HardSharing(mtl::clone(encoder), three_tasks(4)));
  }
  SECTION("a layer inside an encoder") {
    torch::nn::Linear inner(2, 4);
    const mtl::HardSharing with(torch::nn::Sequential(inner), three_tasks(4));
    CHECK(contains(
        error_text([&] { mtl::HardSharing(torch::nn::Sequential(inner), three_tasks(4)); }),
        "belongs to another model"));
  }
  SECTION("a part that a model of one's own registers by itself: seen when it is used") {
    torch::nn::Linear linear(2, 4);
    Plain own(linear, three_tasks(4));
    own->parameter_sets();
    Plain other(linear, three_tasks(4));
    CHECK(contains(error_text([&] { other->parameter_sets(); }), "belongs to another model"));
  }
  SECTION("parts without weights may be shared") {
    torch::nn::Identity nothing;
    const mtl::HardSharing a(nothing, three_tasks(4));
    CHECK_NOTHROW(mtl::HardSharing(nothing, three_tasks(4)));
  }
}

TEST_CASE("Model: a model that is gone, moved or copied stands in nobody's way") {
  const auto tasks = three_tasks(4);
  {
    mtl::HardSharing gone(layer(2, 4), tasks);
    gone->forward({{"x", torch::randn({3, 2})}});
  }
  mtl::HardSharing second(layer(2, 4), tasks);
  mtl::HardSharing moved = std::move(second);
  const mtl::HardSharing copy = moved;  // the same model once more
  CHECK(&*copy == &*moved);
  CHECK_THROWS_AS(mtl::HardSharing(layer(2, 4), tasks), mtl::Error);

  // In a loop over methods the second model would start from what the first has learned.
  move_weights(*moved);
  moved = nullptr;
  CHECK_THROWS_AS(mtl::HardSharing(layer(2, 4), tasks), mtl::Error);  // the copy is still there
}

TEST_CASE("Model: weights trained in a model that is gone are no fresh start, unless asked for") {
  const auto tasks = three_tasks(4);
  {
    mtl::HardSharing gone(layer(2, 4), tasks);
    move_weights(*gone);
  }
  CHECK(contains(error_text([&] { mtl::HardSharing(layer(2, 4), tasks); }),
                 "was trained or loaded in a model that is gone"));
  CHECK_NOTHROW(mtl::HardSharing(layer(2, 4), mtl::clone(tasks)));
}

TEST_CASE("Model: a head that two tasks have in common is there once, as a shared parameter") {
  const mtl::nn::LinearHead head(4, 1);
  mtl::TaskRegistry tasks;
  tasks.add({.name = "a", .head = head, .loss = squared_error});
  tasks.add({.name = "b", .head = head, .loss = squared_error});
  tasks.add({.name = "c", .head = mtl::nn::LinearHead(4, 1), .loss = squared_error});
  mtl::HardSharing model(layer(2, 4), tasks);
  CHECK(model->parameters().size() == 6);
  CHECK(model->shared_parameters().size() == 4);
  const mtl::Parameters& sets = *model;
  CHECK(addresses(sets.shared) == addresses(model->shared_parameters()));
  CHECK(sets.by_task.at(0).empty());
  CHECK(sets.by_task.at(1).empty());
  CHECK(sets.by_task.at(2).size() == 2);
}

TEST_CASE("Model: two tasks with one head move it once a step") {
  // By hand: w = (1, 1, 1) on x, both targets 0, plain sum of the two means, SGD 0.01.
  const torch::nn::Linear head(torch::nn::LinearOptions(3, 1).bias(false));
  torch::NoGradGuard no_grad;
  head->weight.fill_(1);
  mtl::TaskRegistry tasks;
  for (const char* name : {"a", "b"})
    tasks.add({.name = name, .head = head, .loss = squared_error});
  mtl::HardSharing model(torch::nn::Identity(), tasks);
  torch::optim::SGD sgd(model->parameters(), 0.01);
  const auto x = torch::tensor({{1.0F, 2.0F, 0.0F}});
  {
    torch::AutoGradMode grad(true);
    const mtl::Batch batch{{{"x", x}}, {{"a", torch::zeros({1})}, {"b", torch::zeros({1})}}};
    mtl::Sum sum;
    sum.backward(mtl::task_losses(*model, model->forward(batch.inputs), batch), model);
  }
  sgd.step();
  // d/dw of 2 (w.x)^2 = 4 (w.x) x = 12 x
  CHECK(head->weight.allclose(torch::tensor({{1 - 0.12F, 1 - 0.24F, 1.0F}})));
}

TEST_CASE("task_losses: a list of tasks that are left out is of all tasks, or none") {
  mtl::HardSharing model(layer(2, 4), three_tasks(4));
  mtl::Batch batch;
  batch.inputs.insert("x", torch::randn({3, 2}));
  for (const char* name : {"a", "b", "c"}) batch.targets.insert(name, torch::randn({3}));
  const auto predictions = model->forward(batch.inputs);
  CHECK(mtl::task_losses(*model, predictions, batch, {false, true, false}).names ==
        std::vector<std::string>{"a", "c"});
  CHECK(contains(error_text([&] { mtl::task_losses(*model, predictions, batch, {true}); }),
                 "left_out is of 1 tasks, the model has 3"));
}

TEST_CASE("ModelHolder: stands for its model, and says when it is empty") {
  mtl::HardSharing model(layer(2, 4), three_tasks(4));
  mtl::Model& bare = model;
  CHECK(&bare == &*model);
  const mtl::HardSharing empty = nullptr;
  CHECK(
      contains(error_text([&] { static_cast<mtl::Model&>(empty).eval(); }), "the model is empty"));
  CHECK(contains(error_text([&] {
                   mtl::ModelRef { empty } -> eval();
                 }),
                 "the model is empty"));
}

TEST_CASE("ModelRef: takes models, holders and pointers, and keeps alive what is shared") {
  const auto tasks_of = [](const mtl::ModelRef& model) { return model->tasks().size(); };
  mtl::HardSharing holder(layer(2, 4), three_tasks(4));
  const Plain torch_holder(torch::nn::Linear(2, 4), three_tasks(4));
  auto shared = std::make_shared<mtl::HardSharingImpl>(layer(2, 4), three_tasks(4));
  mtl::HardSharingImpl bare(layer(2, 4), three_tasks(4));
  CHECK(tasks_of(holder) == 3);
  CHECK(tasks_of(*holder) == 3);
  CHECK(tasks_of(torch_holder) == 3);
  CHECK(tasks_of(shared) == 3);
  CHECK(tasks_of(bare) == 3);
  const mtl::ModelRef kept(*holder);
  const std::weak_ptr<mtl::HardSharingImpl> watched = holder.ptr();
  holder = nullptr;
  CHECK_FALSE(watched.expired());
  const mtl::ModelRef owned(std::make_unique<mtl::HardSharingImpl>(layer(2, 4), three_tasks(4)));
  CHECK(owned->tasks().size() == 3);
}

TEST_CASE("Model: can be made, copied and asked in inference mode") {
  const c10::InferenceMode inference;
  mtl::HardSharing model(layer(2, 4), three_tasks(4));
  auto copy = mtl::clone(model);
  const auto x = torch::randn({3, 2});
  CHECK(copy->forward({{"x", x}})["a"].equal(model->forward({{"x", x}})["a"]));
}
