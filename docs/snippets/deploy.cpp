// The code of docs/deploy.md.
#include <mtl/mtl.hpp>

#include <cstdio>
#include <filesystem>

/// A head of one's own, of which the library knows nothing.
struct DoubledImpl : torch::nn::Module {
  explicit DoubledImpl(int64_t width)
      : linear(register_module("linear", torch::nn::Linear(width, 1))) {}
  torch::Tensor forward(const torch::Tensor& x) { return 2 * linear->forward(x); }
  torch::nn::Linear linear;
};
TORCH_MODULE(Doubled);

mtl::HardSharing make_model() {
  return mtl::HardSharing(
      mtl::nn::MlpEncoder({.input_size = 3, .hidden_sizes = {16}}),
      {{.name = "price", .head = Doubled(16), .loss = mtl::MeanSquaredError{}},
       {.name = "kind", .head = mtl::nn::LinearHead(16, 2), .loss = mtl::CrossEntropy{}}});
}

/// Trains a model and leaves its bundle and its Python in `folder`; returns what it predicts.
torch::Tensor train_and_save(const std::filesystem::path& folder, const torch::Tensor& rows) {
  const auto price = 1000 * rows.sum(1) + 5e4;
  const mtl::StandardScaler row_scaler(rows), price_scaler(price);
  auto model = make_model();
  mtl::BatchLoader train(
      mtl::TensorDataset({{"input", row_scaler.transform(rows).to(torch::kFloat)}},
                         {{"price", price_scaler.transform(price).to(torch::kFloat)},
                          {"kind", (rows.select(1, 0) > 100).to(torch::kLong)}}));
  torch::optim::Adam adam(model->parameters(), 1e-2);
  mtl::Trainer(model, adam, mtl::Sum(), {.epochs = 5}).fit(train);

  mtl::save_bundle(model, folder / "houses",
                   {.inputs = {{"input", {"rooms", "area", "age"}, row_scaler}},
                    .tasks = {{.task = "price", .unit = "EUR", .scaler = price_scaler},
                              {.task = "kind", .labels = {"flat", "house"}}},
                    .metrics = {{"kind, accuracy on the test part", 0.93}},
                    .licence = "CC-BY-4.0",
                    .data = "sales of 2019, without those of new buildings"});

  mtl::export_python(model, folder / "houses_python",
                     {.forward = {{"Doubled", "return 2 * self.linear(x)"}}});

  model->eval();
  const torch::NoGradGuard no_grad;
  const auto input = row_scaler.transform(rows).to(torch::kFloat);
  return price_scaler.inverse_transform(
      model->forward({{"input", input}})["price"].squeeze(1).to(torch::kDouble));
}

/// A model of pictures, with what becomes of a file before the network sees it.
void save_breeds(const std::filesystem::path& folder) {
  mtl::HardSharing breeds(
      mtl::nn::CnnEncoder({.channels = {8, 16}}),
      {{.name = "breed", .head = mtl::nn::LinearHead(16, 37), .loss = mtl::CrossEntropy{}}});
  const mtl::images::Preparation prepared{.width = 64,
                                          .height = 64,
                                          .shorter_side = 72,  // of which the middle is taken
                                          .normalize = {{.45, .45, .45}, {.25, .25, .25}}};
  mtl::save_bundle(breeds, folder / "breeds",
                   {.inputs = {{.name = "picture", .pictures = prepared}}});
}

/// What a program without any training code does.
torch::Tensor load_and_predict(const std::filesystem::path& folder, const torch::Tensor& rows) {
  mtl::Kinds kinds;  // only where the model has parts of one's own
  kinds.add("Doubled", [](const mtl::OwnPart& part) {
    return Doubled(part.shape("linear.weight")[1]);  // as many inputs as it was saved with
  });
  mtl::Predictor predictor(folder / "houses", kinds);
  const auto answers = predictor.predict({{"input", rows}});  // [N, 3], as they were measured
  const auto& price = answers["price"];
  const auto kinds_found = answers["kind"].texts();  // "flat", "house", ...
  std::printf("%.0f %s, a %s (%.0f %%)\n", price.values[0].item<double>(), price.unit.c_str(),
              kinds_found[0].c_str(), 100 * answers["kind"].probabilities[0].max().item<double>());
  return price.values;
}

/// The same into a model that is made as it was for the training.
torch::Tensor load_into_own(const std::filesystem::path& folder, const torch::Tensor& rows) {
  mtl::Predictor predictor(mtl::load_bundle(folder / "houses", make_model().ptr()));
  return predictor.predict({{"input", rows}})["price"].values;
}

/// Weights that PyTorch saved from a wrapped network with a classifier.
bool takes_pytorch_weights(const std::filesystem::path& folder) {
  const auto weight = torch::randn({16, 3});
  mtl::io::write_safetensors(folder / "pytorch.safetensors",
                             {{"module.fc0.weight", weight},
                              {"module.fc0.bias", torch::zeros({16})},
                              {"module.classifier.weight", torch::zeros({9, 16})}});
  mtl::nn::MlpEncoder encoder({.input_size = 3, .hidden_sizes = {16}});
  mtl::load_weights_by_name(
      *encoder, folder / "pytorch.safetensors",
      {.rename = {{"^module\\.", ""}, {"^fc(\\d)", "layers.$1"}}, .ignore = {"^classifier"}});
  return encoder->named_parameters()["layers.0.weight"].equal(weight);
}

int main() {
  torch::manual_seed(0);
  const auto folder = std::filesystem::temp_directory_path() / "mtl_docs_deploy";
  const auto rows = torch::randn({256, 3}, torch::kDouble) * 20 + 100;
  const auto expected = train_and_save(folder, rows);
  save_breeds(folder);
  const bool right = load_and_predict(folder, rows).allclose(expected, 1e-9) &&
                     load_into_own(folder, rows).allclose(expected, 1e-9) &&
                     takes_pytorch_weights(folder);
  std::filesystem::remove_all(folder);
  return right ? 0 : 1;
}
