#include "error_text.hpp"
#include "golden.hpp"
#include "some_losses.hpp"

using namespace mtl;

TEST_CASE("BinaryCrossEntropy: soft scores match the golden values") {
  const auto file = golden("metrics.json")["soft_bce"][0];
  const Tensor logits = tensor_of(file["logits"]);
  const Tensor scores = tensor_of(file["scores"]);
  const SampleLosses losses = BinaryCrossEntropy{}(logits, scores);
  CHECK(is_close(losses.values, tensor_of(file["bce_by_sample"])));
  CHECK(BinaryCrossEntropy{}.mean(logits, scores).item<double>() ==
        Approx(file["bce_mean"].get<double>()).epsilon(1e-12));
}

TEST_CASE("BinaryCrossEntropy: bytes of 0 and 1, and a pos_weight of another number than outputs") {
  const Tensor y = torch::tensor({{0.3, -1.0}, {2.0, 0.1}});
  const Tensor t = torch::tensor({{0, 1}, {1, 1}});
  const Loss loss = BinaryCrossEntropy{};
  CHECK(loss(y, t.to(torch::kByte)).value.equal(loss(y, t.to(torch::kFloat)).value));
  CHECK(loss(y, t.to(torch::kBool)).value.equal(loss(y, t.to(torch::kFloat)).value));
  const Loss three = BinaryCrossEntropy{.pos_weight = torch::ones({3})};
  CHECK(contains(error_text([&] { three(y, t); }), "3 pos_weights"));
  CHECK(
      contains(error_text([&] { three(torch::zeros({3}), torch::zeros({3})); }), "3 pos_weights"));
}
