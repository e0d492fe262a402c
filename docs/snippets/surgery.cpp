// The code of docs/surgery.md.
#include <mtl/mtl.hpp>

#include <cstdio>

namespace {

mtl::nn::MlpEncoder layer(int64_t in, int64_t out) {
  return mtl::nn::MlpEncoder({.input_size = in, .hidden_sizes = {out}});
}
mtl::Task task_sum() {
  return {.name = "sum", .head = mtl::nn::LinearHead(16, 1), .loss = mtl::MeanSquaredError{}};
}
mtl::Task task_sign() {
  return {.name = "sign", .head = mtl::nn::LinearHead(16, 2), .loss = mtl::CrossEntropy{}};
}
mtl::Task task_corner() {
  return {.name = "corner", .head = mtl::nn::LinearHead(16, 4), .loss = mtl::CrossEntropy{}};
}

}  // namespace

int main() {
  torch::manual_seed(0);
  const auto x = torch::randn({128, 4});
  const auto sign = (x.select(1, 0) > 0).to(torch::kLong);
  const auto corner = 2 * sign + (x.select(1, 1) > 0).to(torch::kLong);
  const mtl::TensorDataset data({{"x", x}},
                                {{"sum", x.sum(1)}, {"sign", sign}, {"corner", corner}});
  mtl::BatchLoader train(data, {.batch_size = 32});
  const mtl::NamedTensors inputs = {{"x", x}};
  const auto fit = [&](mtl::Model& model, torch::optim::Optimizer& optimizer) {
    mtl::Trainer(model, optimizer, mtl::Sum(), {.epochs = 3}).fit(train);
  };
  bool right = true;

  mtl::HardSharing model(layer(4, 16), {task_sum(), task_sign()});
  torch::optim::Adam adam(model->parameters(), 1e-2);
  fit(model, adam);

  auto [larger, kept] = mtl::add_task(model, task_corner());
  torch::optim::Adam next(larger->parameters(), 1e-2);
  mtl::carry_optimizer_state(adam, next, kept);  // or begin with nothing remembered
  mtl::KendallUncertainty combiner(larger->tasks());
  mtl::Trainer(larger, next, combiner, {.epochs = 3}).fit(train);

  const auto smaller = mtl::drop_task(larger, "sum").model;
  right = right && smaller->tasks().size() == 2 && larger->tasks().size() == 3;

  // What a task has to itself beside its head: like another task's, or parts of its own.
  mtl::SoftSharing soft(mtl::several(2, [] { return layer(4, 16); }), {task_sum(), task_sign()});
  const auto like = mtl::add_task(soft, task_corner(), {.like = "sign"}).model;
  const auto own = mtl::add_task(soft, task_corner(), {.parts = {layer(4, 16)}}).model;
  right = right && like->encoders().size() == 3 && own->encoders().size() == 3;

  // Freezing: what is frozen predicts what it did.
  mtl::freeze(larger, "encoder");
  mtl::freeze(larger, "heads.sum");
  torch::optim::Adam for_heads(
      mtl::parameter_groups(*larger, torch::optim::AdamOptions(), torch::optim::AdamOptions(1e-2)));
  mtl::Trainer(larger, for_heads, mtl::Sum(), {.epochs = 2}).fit(train, mtl::HoldFrozen{});
  mtl::unfreeze(larger, "");

  // Warm start.
  mtl::HardSharing single(layer(4, 16), {task_sign()});
  torch::optim::Adam for_single(single->parameters(), 1e-2);
  fit(single, for_single);
  mtl::HardSharing joint(layer(4, 16), {task_sum(), task_sign()});
  const auto started = mtl::warm_start(joint, mtl::nn::weights(*single));
  std::printf("taken %zu, left %zu\n", started.taken.size(), started.left.size());
  mtl::warm_start(soft, mtl::nn::weights(*single), {{"encoder", "encoders.sign"}});

  // Distillation: several single-task models into one.
  mtl::HardSharing corner_model(layer(4, 16), {task_corner()});
  const std::vector<mtl::Teacher> teachers = {{single, "sign", "sign_teacher"},
                                              {corner_model, "corner", "corner_teacher"}};
  mtl::HardSharing student(layer(4, 16), {{.name = "sign",
                                           .head = mtl::nn::LinearHead(16, 2),
                                           .loss = mtl::Distillation{.temperature = 2},
                                           .target = "sign_teacher"},
                                          {.name = "corner",
                                           .head = mtl::nn::LinearHead(16, 4),
                                           .loss = mtl::Distillation{.temperature = 2},
                                           .target = "corner_teacher"}});
  torch::optim::Adam for_student(student->parameters(), 1e-2);
  mtl::Mean mean;
  mtl::Batch batch;
  train.start_epoch(0);
  while (train.next(batch)) {
    const mtl::Batch lesson = mtl::taught(batch, teachers);
    const auto losses = mtl::task_losses(*student, student->forward(lesson.inputs), lesson);
    for_student.zero_grad();
    mean.backward(losses, student);
    for_student.step();
  }

  // Labels and a teacher at once: two tasks with one head. In the trainer the loader asks the
  // teacher.
  mtl::Task taught_sign = task_sign();
  taught_sign.head = joint->tasks().at("sign").head;
  taught_sign.name = "sign_taught";
  taught_sign.target = "sign_teacher";
  taught_sign.loss = mtl::Distillation{};
  taught_sign.auxiliary = true;
  const auto both_ways = mtl::add_task(joint, taught_sign).model;
  const auto ask = [&](mtl::Batch& now, torch::Generator&) {
    now = mtl::taught(now, {teachers[0]});
  };
  mtl::BatchLoader lessons(data, {.batch_size = 32, .transform = ask});
  torch::optim::Adam for_both(both_ways->parameters(), 1e-2);
  mtl::Trainer(both_ways, for_both, mtl::Sum(), {.epochs = 2}).fit(lessons);

  // Merging: two models of one start, tuned on different tasks.
  mtl::HardSharing first(layer(4, 16), {task_sign()});
  const mtl::NamedTensors start = mtl::nn::cloned(mtl::shared_weights(first));
  mtl::HardSharing second(mtl::clone(first->encoder()), {task_corner()});
  torch::optim::Adam for_first(first->parameters(), 1e-2), for_second(second->parameters(), 1e-2);
  fit(first, for_first);
  fit(second, for_second);
  auto merged = mtl::merge_models(start, std::vector{first, second}, mtl::TiesMerging{});
  right = right && merged->forward(inputs)["corner"].size(1) == 4;

  const auto by_hand = mtl::DareMerging{.drop = 0.5, .seed = 1, .then = mtl::TiesMerging{}}(
      start, {mtl::shared_weights(first), mtl::shared_weights(second)});
  right = right && by_hand.keys() == start.keys();

  const auto unlabelled = [] { return mtl::NamedTensors{{"x", torch::randn({16, 4})}}; };
  const auto found = mtl::AdaMerging{.learning_rate = 1e-2, .steps = 20}(
      merged, start, {mtl::shared_weights(first), mtl::shared_weights(second)}, unlabelled,
      [](const mtl::NamedTensors& p) {
        return mtl::softmax_entropy(p["sign"]).mean() + mtl::softmax_entropy(p["corner"]).mean();
      });
  right = right && found.coefficients.size(0) == 2;  // one a model and layer

  // A tree of tasks from measured affinities.
  mtl::HardSharing measured(layer(4, 16), {task_sum(), task_sign(), task_corner()});
  torch::optim::Adam for_measured(measured->parameters(), 1e-2);
  Eigen::MatrixXd affinity = Eigen::MatrixXd::Zero(3, 3);
  train.start_epoch(0);
  while (train.next(batch)) {
    affinity += mtl::evaluate::task_affinity(measured, batch, 1e-2);
    for_measured.zero_grad();
    mean.backward(mtl::task_losses(*measured, measured->forward(batch.inputs), batch), measured);
    for_measured.step();
  }
  const auto tree = mtl::evaluate::task_tree({affinity}, {2, 3});  // at most 2, then 3 branches
  const mtl::TaskRegistry tasks = {task_sum(), task_sign(), task_corner()};
  const auto make = [](int64_t) { return layer(16, 16); };  // an encoder of a level
  mtl::Branched branched(layer(4, 16), mtl::evaluate::branches_of(tree, tasks, make), tasks);
  right = right && branched->forward(inputs).size() == 3;
  return right ? 0 : 1;
}
