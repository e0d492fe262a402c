// The code of docs/models.md on ways of sharing.
#include <mtl/mtl.hpp>

#include <cmath>

/// Encoders and tasks are made anew for each model.
mtl::nn::MlpEncoder layer(int64_t in, int64_t out) {
  return mtl::nn::MlpEncoder({.input_size = in, .hidden_sizes = {out}});
}
mtl::TaskRegistry make_tasks() {
  return {{.name = "sum", .head = mtl::nn::LinearHead(8, 1), .loss = mtl::MeanSquaredError{}},
          {.name = "sign", .head = mtl::nn::LinearHead(8, 2), .loss = mtl::CrossEntropy{}}};
}

int main() {
  torch::manual_seed(0);
  const auto x = torch::randn({128, 4});
  mtl::BatchLoader train(
      mtl::TensorDataset({{"x", x}},
                         {{"sum", x.sum(1)}, {"sign", (x.select(1, 0) > 0).to(torch::kLong)}}),
      {.batch_size = 32});
  const mtl::NamedTensors one = {{"x", x.slice(0, 0, 1)}};
  const auto fits = [&](auto model) {
    torch::optim::Adam adam(model->parameters(), 1e-2);
    mtl::Trainer(model, adam, mtl::Sum(), {.epochs = 2}).fit(train);
    return model->forward(one).size() == 2;
  };
  bool right = true;

  // A tree: after the stem a branch that parts again.
  auto tree = mtl::Branched(
      layer(4, 16),
      {{.encoder = layer(16, 8), .branches = {{layer(8, 8), {"sum"}}, {layer(8, 8), {"sign"}}}}},
      make_tasks());
  right = right && fits(tree);

  auto soft = mtl::SoftSharing(mtl::several(2, [] { return layer(4, 8); }), make_tasks(),
                               {.penalty = mtl::SoftSharing::Penalty::l2, .strength = 1e-3});
  torch::optim::Adam adam(soft->parameters(), 1e-2);
  mtl::Trainer trainer(soft, adam, mtl::Sum(), {.epochs = 2});
  trainer.fit(train, mtl::AddPenalty{[&] { return soft->penalty(); }});
  right = right && soft->shared_parameters().empty();

  const auto stages = [] { return mtl::Stages{layer(4, 8), layer(8, 8)}; };
  auto stitched = mtl::CrossStitch(mtl::several(2, stages), make_tasks(), {.own = 0.9});
  right = right && fits(stitched);

  auto sluice = mtl::Sluice(mtl::several(2, stages), make_tasks(), {.subspaces = 2});
  right = right && fits(sluice);

  auto mixture = mtl::MixtureOfExperts(mtl::several(4, [] { return layer(4, 8); }), make_tasks(),
                                       {.gate_input_size = 4});
  right = right && fits(mixture);

  auto few = mtl::DSelectK(mtl::several(4, [] { return layer(4, 8); }), make_tasks(),
                           {.selected = 2, .gate_input_size = 4});
  right = right && fits(few);

  const auto level = [](int64_t in) {
    const auto experts = [in] { return mtl::several(2, [in] { return layer(in, 8); }); };
    return mtl::ProgressiveLayeredExtraction::Level{
        .by_task = mtl::several(2, experts), .shared = experts(), .gate_input_size = in};
  };
  auto cgc = mtl::ProgressiveLayeredExtraction({level(4)}, make_tasks());
  auto ple = mtl::ProgressiveLayeredExtraction({level(4), level(8)}, make_tasks());
  right = right && fits(cgc) && fits(ple);

  const auto masks = [](int64_t in) {
    return mtl::several(2, [in] {
      return mtl::nn::MlpEncoder({.input_size = in, .hidden_sizes = {8}, .output_size = 8});
    });
  };
  auto attention = mtl::MultiTaskAttention(
      {{.first = layer(4, 8), .second = layer(8, 8), .masks = masks(8)},
       {.first = layer(8, 8), .second = layer(8, 8), .masks = masks(8 + 8)}},
      make_tasks());
  right = right && fits(attention);

  auto learned = mtl::LearnedBranching(
      {mtl::several(2, [] { return layer(4, 8); }), mtl::several(2, [] { return layer(8, 8); })},
      make_tasks(), {.temperature = 10});
  struct Cool {  // halves the temperature every epoch
    mtl::LearnedBranching model;
    void on_epoch_end(mtl::TrainState& state) {
      model->set_temperature(10 * std::pow(0.5, state.epoch));
    }
  };
  torch::optim::Adam for_tree(learned->parameters(), 1e-2);
  mtl::Trainer(learned, for_tree, mtl::Sum(), {.epochs = 4}).fit(train, Cool{learned});
  const auto found = learned->choices();  // found.of_tasks[t]: the node that task t reads
  right = right && found.of_tasks.size() == 2;

  auto film = mtl::Film({{layer(4, 16)}, {layer(16, 8), 8}}, make_tasks());
  auto adapters =
      mtl::TaskAdapters({{layer(4, 16)}, {layer(16, 8), 8}}, make_tasks(), {.bottleneck = 4});
  right = right && fits(film) && fits(adapters);

  torch::nn::Linear first(4, 16), second(16, 8);  // pretrained
  first->weight.set_requires_grad(false);
  second->weight.set_requires_grad(false);
  auto low_rank = mtl::LowRankUpdates({{first, /*by_task=*/false}, {second}}, make_tasks(),
                                      {.rank = 4, .task_rank = 2});
  right = right && fits(low_rank);

  const auto spent = mtl::costs(mixture, one);
  right = right && spent.parameters > spent.at("sum").parameters &&
          spent.at("sum").own_multiply_adds < spent.at("sum").multiply_adds;
  return right ? 0 : 1;
}
