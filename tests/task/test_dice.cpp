#include "error_text.hpp"
#include "some_losses.hpp"

using namespace mtl;

TEST_CASE("Dice: a perfect mask costs nothing, the opposite one almost everything") {
  const Tensor t = torch::tensor({{1.0, 1.0, 0.0, 0.0}}, torch::kDouble);
  const Tensor logits = (t * 2 - 1) * 100;
  CHECK(Dice{.smooth = 1e-6}(logits, t).values[0].item<double>() == Approx(0).margin(1e-6));
  CHECK(Dice{.smooth = 1e-6}(-logits, t).values[0].item<double>() == Approx(1));
}
