#include "error_text.hpp"
#include "golden.hpp"
#include "some_losses.hpp"

using namespace mtl;

TEST_CASE("SoftIou and Dice: golden values of maps of several classes with missing pixels") {
  const auto& c = golden("structured_losses.json")["regions"];
  const Tensor y = tensor_of(c["logits"]), t = tensor_of(c["labels"]).to(torch::kLong);
  CHECK(is_close(SoftIou{}(y, t).values, tensor_of(c["iou"])));
  CHECK(is_close(Dice{}(y, t).values, tensor_of(c["dice"])));
}

TEST_CASE("SoftIou: a perfect mask costs nothing, the opposite one almost everything") {
  const Tensor t = torch::tensor({{1.0, 1.0, 0.0, 0.0}}, torch::kDouble);
  const Tensor logits = (t * 2 - 1) * 100;
  CHECK(SoftIou{.smooth = 1e-6}(logits, t).values[0].item<double>() == Approx(0).margin(1e-6));
  CHECK(SoftIou{.smooth = 1e-6}(-logits, t).values[0].item<double>() == Approx(1));
  CHECK(contains(error_text([] { Loss(SoftIou{.smooth = 0}); }), "smooth is 0"));
  CHECK(contains(error_text([&] { SoftIou{}(t.flatten(), t.flatten()); }), "SoftIou expects"));
}
