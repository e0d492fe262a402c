#include "catch.hpp"
#include "error_text.hpp"
#include "some_models.hpp"
#include "temporary_folder.hpp"

TEST_CASE("save, load: the same weights, running statistics included") {
  const TemporaryFolder folder;
  const auto file = folder / "a/new/folder/model.safetensors";
  const auto make = [] {
    return mtl::HardSharing(
        torch::nn::Sequential(torch::nn::Linear(2, 4), torch::nn::BatchNorm1d(4)), three_tasks(4));
  };
  auto model = make(), other = make();
  model->forward({{"x", torch::randn({8, 2})}});  // moves the running statistics
  mtl::save(model, file);
  CHECK_FALSE(same_weights(*model, *other));
  mtl::load(*other, file);
  CHECK(same_weights(*model, *other));
}

TEST_CASE("load: a file of another model, or none, is an error that names it; nothing is changed") {
  const TemporaryFolder folder;
  const auto file = folder / "model.safetensors";
  mtl::HardSharing model(layer(2, 4), three_tasks(4)), other(layer(2, 5), three_tasks(5));
  mtl::save(model, file);
  const auto before = mtl::nn::cloned(mtl::nn::weights(*other));
  const auto text = error_text([&] { mtl::load(other, file); });
  CHECK(contains(text, "model.safetensors"));
  CHECK(contains(text, "another model"));
  for (const auto& item : before) CHECK(mtl::nn::weights(*other)[item.key()].equal(item.value()));
  CHECK(contains(error_text([&] { mtl::load(model, folder / "none.safetensors"); }), "none"));
}
