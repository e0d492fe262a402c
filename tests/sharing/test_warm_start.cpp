#include "error_text.hpp"
#include "way_checks.hpp"

TEST_CASE("warm_start: takes what both have, by name, and says what") {
  torch::manual_seed(1);
  mtl::HardSharing single(tanh_layer(2, 4), tasks_named({"a"})),
      joint(tanh_layer(2, 4), tasks_named({"a", "b"}));
  joint->eval();
  single->eval();
  const auto b_before = joint->tasks().at("b").head.module()->parameters()[0].clone();
  const auto found = mtl::warm_start(joint, mtl::nn::weights(*single));
  const auto x = torch::randn({5, 2});
  CHECK(joint->forward({{"x", x}})["a"].equal(single->forward({{"x", x}})["a"]));
  CHECK(found.taken.size() == 4);
  CHECK(found.left == std::vector<std::string>{"heads.b.weight", "heads.b.bias"});
  CHECK(found.unused.empty());
  CHECK(joint->tasks().at("b").head.module()->parameters()[0].equal(b_before));
}

TEST_CASE("warm_start: from another way of sharing by renamed parts, in the model's own type") {
  torch::manual_seed(2);
  mtl::HardSharing single(tanh_layer(2, 4), tasks_named({"b"}));
  mtl::SoftSharing soft(mtl::several(2, [] { return tanh_layer(2, 4); }), tasks_named({"a", "b"}));
  soft->to(torch::kDouble);
  const auto found = mtl::warm_start(soft, mtl::nn::weights(*single), {{"encoder", "encoders.b"}});
  CHECK(found.taken.size() == 4);
  const auto x = torch::randn({5, 2}, torch::kDouble);
  single->to(torch::kDouble);
  CHECK(soft->forward({{"x", x}})["b"].equal(single->forward({{"x", x}})["b"]));
}

TEST_CASE("warm_start: what does not fit is refused before anything is changed") {
  mtl::HardSharing model(tanh_layer(2, 4), tasks_named({"a"}));
  const auto before = mtl::clone(model);
  auto weights = mtl::nn::cloned(mtl::nn::weights(*before));
  for (auto& item : weights) item.value().add_(1);
  const auto text = [&](const std::vector<mtl::RenamedPart>& renamed = {}) {
    return error_text([&] { mtl::warm_start(model, weights, renamed); });
  };
  CHECK(contains(text({{"encode", "encoder"}}), "no weight lies in \"encode\""));
  CHECK(contains(text({{"encoder", "stem"}}), "which the model has not"));
  CHECK(contains(text({{"heads.a.bias", "heads.a.weight"}}), "has shape [1]"));
  weights.insert("other.weight", weights["heads.a.weight"]);
  CHECK(contains(text({{"other", "heads.a"}}), "two weights are to become \"heads.a.weight\""));
  weights["heads.a.bias"] = torch::zeros({2});
  CHECK(contains(text(), "\"heads.a.bias\" has shape [2], \"heads.a.bias\" of the model [1]"));
  weights = {{"z", torch::zeros({1})}};
  CHECK(contains(text(), "no name in common"));
  CHECK(same_weights(*model, *before));
}

TEST_CASE("warm_start: two heads of one model change places") {
  mtl::HardSharing model(tanh_layer(2, 4), tasks_named({"a", "b"}));
  const auto own = mtl::nn::weights(*model), before = mtl::nn::cloned(own);
  mtl::warm_start(model, own, {{"heads.a", "heads.b"}, {"heads.b", "heads.a"}});
  CHECK(own["heads.a.weight"].equal(before["heads.b.weight"]));
  CHECK(own["heads.b.weight"].equal(before["heads.a.weight"]));
}
