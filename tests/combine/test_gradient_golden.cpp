#include <catch.hpp>

#include "golden.hpp"
#include "linear_problem.hpp"
#include "mtl/combine/gradients/gradients.hpp"
#include "mtl/combine/make_combiner.hpp"

using namespace mtl;
using Eigen::MatrixXd;
using Eigen::VectorXd;

namespace {

// Golden name -> text for make_combiner.
const std::vector<std::pair<std::string, std::string>> kMethods = {
    {"sum", "sum"},
    {"mean", "mean"},
    {"mgda", "mgda"},
    {"upgrad", "upgrad"},
    {"dualproj", "dualproj"},
    {"nash", "nash"},
    {"nash_max_norm_1", "nash:max_norm=1"},
    {"fairgrad_0.5", "fairgrad:alpha=0.5"},
    {"fairgrad_1", "fairgrad"},
    {"fairgrad_2", "fairgrad:alpha=2"},
    {"cagrad_0.4", "cagrad"},
    {"cagrad_0.5", "cagrad:c=0.5"},
    {"cagrad_0.5_rescale_1", "cagrad:c=0.5,rescale=1"},
    {"cagrad_1", "cagrad:c=1"},
    {"imtl_g", "imtl_g"},
    {"aligned_min", "aligned"},
    {"aligned_median", "aligned:scale=median"},
    {"aligned_rmse", "aligned:scale=rmse"},
    {"config", "config"},
    {"trimmed_mean_1", "trimmed_mean:trim=1"},
    {"krum_1_1", "krum:byzantine=1,selected=1"},
    {"krum_1_2", "krum:byzantine=1,selected=2"},
};

RowOrder order_of(const nlohmann::json& orders) {
  return [orders](int64_t row, int64_t) {
    return orders[static_cast<size_t>(row)].get<std::vector<int64_t>>();
  };
}

void check_direction(const std::string& matrix, const std::string& method, const MatrixXd& jacobian,
                     const nlohmann::json& expected, const VectorXd& direction) {
  INFO(matrix << ", " << method);
  REQUIRE(direction.allFinite());
  if (!expected.contains("direction")) return;
  const VectorXd answer = golden::vector(expected["direction"]);
  double tolerance = golden::tolerance(matrix, method, jacobian, answer);
  // The eigenvalues of G differ by 2.6e11 there: G, rounded to double, knows the small ones to five
  // digits. The golden value of aligned_rmse is itself 9.6e-6 from what 60 digits give.
  if (matrix.find("nearly_parallel") == 0 && method.find("aligned") == 0) tolerance *= 100;
  // Rows on a line: |v| falls to the 1e-8 of the formula, where rounding is 1e-8 of it.
  if (jacobian.cols() == 1 && method.find("gradvac") == 0) tolerance *= 1000;
  CHECK((direction - answer).cwiseAbs().maxCoeff() <= tolerance);
}

}  // namespace

TEST_CASE("gradient combiners: golden directions") {
  const auto golden = golden::read("aggregators.json");
  for (const auto& entry : golden["cases"]) {
    const std::string name = entry["name"];
    const MatrixXd jacobian = golden::matrix(entry["jacobian"]);
    const Tensor j = tensor_of(jacobian);
    for (const auto& [method, text] : kMethods) {
      if (!entry["expected"].contains(method)) continue;  // too few rows for it
      check_direction(name, method, jacobian, entry["expected"][method],
                      vector_of(aggregate(*make_combiner(text), j)));
    }
    if (entry["expected"].contains("pcgrad")) {
      const auto& pcgrad = entry["expected"]["pcgrad"];
      PcGrad combiner({.order = order_of(pcgrad["orders"])});
      check_direction(name, "pcgrad", jacobian, pcgrad, vector_of(aggregate(combiner, j)));
    }
    if (entry["expected"].contains("gradvac_step_1")) {
      const auto& first = entry["expected"]["gradvac_step_1"];
      const auto& second = entry["expected"]["gradvac_step_2"];
      GradVac combiner({.order = order_of(first["orders"])});
      check_direction(name, "gradvac_step_1", jacobian, first, vector_of(aggregate(combiner, j)));
      check_direction(name, "gradvac_step_2", jacobian, second, vector_of(aggregate(combiner, j)));
    }
    const auto& graddrop = entry["expected"]["graddrop"];
    GradDrop combiner({.uniforms = [&](const Tensor& like) {
      return tensor_of(golden::vector(graddrop["uniforms"])).reshape(like.sizes());
    }});
    check_direction(name, "graddrop", jacobian, graddrop, vector_of(aggregate(combiner, j)));
  }
}

TEST_CASE("gradient combiners with a history: golden sequences") {
  const auto golden = golden::read("sequences.json");
  const std::map<std::string, std::string> methods = {
      {"excess_mtl", "excess_mtl:step=0.1"}, {"pcd", "pcd"}, {"moco", "moco"}};
  for (const auto& entry : golden["cases"]) {
    const auto& expected = entry["expected"];
    std::vector<MatrixXd> jacobians;
    for (const auto& jacobian : entry["jacobians"]) jacobians.push_back(golden::matrix(jacobian));
    const auto problem = std::make_shared<LinearProblem>(jacobians[0].rows(), jacobians[0].cols());
    for (const auto& [method, text] : methods) {
      const auto combiner = make_combiner(text);
      for (size_t k = 0; k < jacobians.size(); ++k) {
        INFO(method << ", step " << k);
        const Tensor values = tensor_of(golden::vector(entry["losses"][k])).reshape({-1});
        const auto losses = problem->losses(tensor_of(jacobians[k]), values);
        const VectorXd answer = golden::vector(expected[method]["directions"][k]);
        CHECK((vector_of(problem->step(*combiner, losses)) - answer).cwiseAbs().maxCoeff() <=
              1e-9 * answer.cwiseAbs().maxCoeff());
      }
    }
    DbMtl db_mtl({.beta = 0.9, .beta_sigma = 0.5});
    for (size_t k = 0; k < jacobians.size(); ++k) {
      const VectorXd answer = golden::vector(expected["db_mtl"]["directions"][k]);
      CHECK((vector_of(aggregate(db_mtl, tensor_of(jacobians[k]))) - answer).norm() <=
            1e-9 * answer.norm());
    }
    // Weights alone: of crossed pairs of batches, and smoothed.
    MoDo modo;
    SdmGrad sdmgrad;
    CrMogm cr_mogm(std::make_unique<Mgda>());
    const Tensor identity = torch::eye(jacobians[0].rows(), torch::kDouble);
    for (size_t k = 0; k < jacobians.size(); ++k) {
      const MatrixXd& j = jacobians[k];
      const VectorXd answer = golden::vector(expected["cr_mogm_of_mgda"]["weights"][k]);
      const VectorXd direction = vector_of(aggregate(cr_mogm, tensor_of(j)));
      CHECK((direction - j.transpose() * answer).norm() <= 1e-9 * direction.norm());
    }
    for (size_t k = 0; k + 1 < jacobians.size(); k += 2) {
      // The three batches of a step; the last has the unit vectors for gradients, so that the
      // update is the weights.
      const Tensor first = tensor_of(jacobians[k]), second = tensor_of(jacobians[k + 1]);
      const int64_t size = first.size(1), tasks = first.size(0);
      if (size < tasks) continue;
      for (Combiner* combiner : {static_cast<Combiner*>(&modo), static_cast<Combiner*>(&sdmgrad)}) {
        TaskLosses losses = problem->losses(first);
        int calls = 0;
        losses.another_batch = [&] {
          return problem->losses(calls++ == 0 ? second : torch::eye(tasks, size, torch::kDouble));
        };
        const char* name = combiner == &modo ? "modo" : "sdmgrad";
        INFO(name << ", pair " << k);
        const VectorXd answer = golden::vector(expected[name]["weights"][k / 2]);
        CHECK((vector_of(problem->step(*combiner, losses)).head(tasks) - answer).norm() <= 1e-9);
        CHECK(calls == 2);
      }
    }
  }
}

TEST_CASE("GradNorm: golden weights, loss and gradient of the logits") {
  const auto golden = golden::read("scalarizers.json");
  for (const auto& entry : golden["cases"]) {
    const auto& g = entry["expected"]["gradnorm"];
    const auto found = GradNorm::balance(
        golden::vector(g["logits"]), golden::vector(g["gradient_norms"]),
        golden::vector(g["losses_now"]), golden::vector(g["losses_first"]), g["alpha"]);
    CHECK((found.weights - golden::vector(g["weights"])).norm() <= 1e-9);
    CHECK(found.loss == Approx(g["gradnorm_loss"].get<double>()).epsilon(1e-9));
    CHECK((found.gradient - golden::vector(g["grad_logits"])).norm() <= 1e-9);
  }
}

namespace {

// The two losses of x [2] that CAGrad and Nash-MTL draw.
std::vector<Tensor> toy_losses(const Tensor& x) {
  const Tensor a = x[0], b = x[1];
  const auto valley = [](const Tensor& inner) {
    return torch::log(inner.abs().clamp_min(5e-6)) + 6;
  };
  const Tensor f1 = valley(0.5 * (-a - 7) - torch::tanh(-b));
  const Tensor f2 = valley(0.5 * (-a + 3) + torch::tanh(-b) + 2);
  const Tensor upper = torch::tanh(0.5 * b).clamp_min(0),
               lower = torch::tanh(-0.5 * b).clamp_min(0);
  const Tensor bowl1 = ((-a + 7).square() + 0.1 * (-b - 8).square()) / 10 - 20;
  const Tensor bowl2 = ((-a - 7).square() + 0.1 * (-b - 8).square()) / 10 - 20;
  return {f1 * upper + bowl1 * lower, f2 * upper + bowl2 * lower};
}

}  // namespace

TEST_CASE("gradient combiners: golden trajectories of the two-objective toy") {
  const auto golden = golden::read("trajectories.json");
  const std::map<std::string, std::string> texts = {
      {"cagrad_0.5", "cagrad:c=0.5"}, {"fairgrad_1", "fairgrad"}, {"aligned_min", "aligned"}};
  for (const auto& entry : golden["cases"]) {
    const std::string method = entry["method"];
    const auto text = texts.count(method) ? texts.at(method) : method;
    const auto combiner = make_combiner(text);
    const auto problem = std::make_shared<LinearProblem>(2, 2);
    Tensor& x = problem->x;
    torch::NoGradGuard no_grad;
    x.copy_(tensor_of(golden::vector(entry["start"])).reshape({2}));
    torch::optim::Adam adam({x}, torch::optim::AdamOptions(entry["lr"].get<double>()));
    // Shorter where no answer exists any more: the two gradients are opposed.
    const int last = std::min(300, 100 * (static_cast<int>(entry["trajectory"].size()) - 1));
    for (int step = 0; step <= last; ++step) {
      const auto& point = entry["trajectory"][static_cast<size_t>(step / 100)];
      if (step % 100 == 0) {
        INFO(method << ", step " << step);
        CHECK((vector_of(x) - golden::vector(point["x"])).norm() <= (step <= 100 ? 1e-6 : 1e-3));
      }
      torch::AutoGradMode with_grad(true);
      TaskLosses losses = problem->losses(torch::zeros({2, 2}, torch::kDouble));
      losses.values = toy_losses(x);
      problem->step(*combiner, losses);
      adam.step();
    }
  }
}
