#include <set>

#include "gradient_checks.hpp"
#include "gradient_methods.hpp"
#include "real_network.hpp"

using namespace gradient_checks;
using namespace random_jacobians;

namespace {

// What rounding leaves of a product with the direction, seen from the lengths of the rows.
double slack(const MatrixXd& jacobian, const VectorXd& d) {
  const double length = jacobian.rowwise().norm().maxCoeff();
  return 1e-7 * length * (d.norm() + 1e-5 * length);
}

const std::vector<std::string> kGradientMethods = gradient_methods();

bool needs_three(const std::string& text) { return text == "krum" || text == "trimmed_mean"; }

}  // namespace

TEST_CASE("gradient combiners: no task is hurt to first order") {
  for (const char* text :
       {"upgrad", "dualproj", "mgda", "cagrad:c=1", "cagrad:c=2", "nash", "fairgrad:alpha=2"})
    for (const auto& problem : problems({"wide", "agreeing", "opposed", "low rank"}, 1)) {
      INFO(text << ", " << problem.kind << ", T = " << problem.jacobian.rows());
      const VectorXd d = direction(text, problem.jacobian);
      CHECK((problem.jacobian * d).minCoeff() >= -slack(problem.jacobian, d));
    }
}

TEST_CASE("gradient combiners: the order of the tasks changes nothing") {
  for (const char* text :
       {"mgda", "cagrad", "imtl_g", "nash", "aligned", "fairgrad:alpha=2", "upgrad", "dualproj",
        "config", "trimmed_mean", "krum", "excess_mtl", "moco", "db_mtl", "modo", "sdmgrad"})
    for (const auto& problem : problems({"wide"}, 1)) {
      if (problem.jacobian.rows() < 3 && needs_three(text)) continue;
      // With one neighbour the nearest two are at one distance from each other, and the first wins.
      if (problem.jacobian.rows() < 5 && std::string(text) == "krum") continue;
      INFO(text << ", T = " << problem.jacobian.rows());
      const VectorXd d = direction(text, problem.jacobian);
      const VectorXd e = direction(text, problem.jacobian.colwise().reverse());
      CHECK((d - e).norm() <= 1e-7 * d.norm());
    }
}

TEST_CASE("gradient combiners: no step where the rows are Pareto-stationary") {
  for (const auto& problem : problems({"stationary"}, 1)) {
    if (problem.jacobian.rows() == 1) continue;
    const double length = problem.jacobian.rowwise().norm().maxCoeff();
    INFO("T = " << problem.jacobian.rows());
    for (const char* text : {"mgda", "upgrad"})
      CHECK(direction(text, problem.jacobian).norm() <= 1e-6 * length);
    for (const char* text : {"nash", "fairgrad:alpha=2", "cagrad:c=1"})
      CHECK(direction(text, problem.jacobian).isZero(0));
    CHECK(direction("mgda", normal(*std::make_unique<std::mt19937_64>(1), 3, 9)).norm() > 1e-3);
  }
}

TEST_CASE("gradient combiners: one task, more tasks than parameters, all zero") {
  const MatrixXd one = MatrixXd::Constant(1, 3, 2.0);
  std::mt19937_64 random(9);
  const MatrixXd tall = normal(random, 6, 2), zeros = MatrixXd::Zero(4, 3);
  for (const auto& text : kGradientMethods) {
    INFO(text);
    if (!needs_three(text)) {
      const VectorXd d = direction(text, one);
      CHECK(d[0] > 0);
      CHECK((d.array() - d[0]).abs().maxCoeff() <= 1e-12 * d[0]);  // along the gradient
    }
    CHECK(direction(text, tall).allFinite());
    CHECK(direction(text, zeros).isZero(0));
  }
}

TEST_CASE("gradient combiners: a gradient that is not finite is named") {
  for (const auto& text : kGradientMethods)
    for (double bad : {std::nan(""), std::numeric_limits<double>::infinity()}) {
      MatrixXd j = MatrixXd::Ones(4, 3);
      j(2, 1) = bad;
      INFO(text);
      CHECK(contains(error_text([&] { direction(text, j); }), "\"2\""));
    }
}

TEST_CASE("gradient combiners: wrong options are errors when the object is made") {
  for (const char* text :
       {"cagrad:c=-1", "fairgrad:alpha=0", "nash:max_norm=-1", "upgrad:preference=1/-1",
        "dualproj:preference=-1/1", "pcd:tau=2", "graddrop:leak=3", "gradvac:beta=2",
        "trimmed_mean:trim=-1", "krum:selected=0", "moco:rho=-1", "modo:gamma=0", "cr_mogm:alpha=2",
        "cagrad:rescale=7", "upgrad:every=0", "mgda:nonsense=1"}) {
    INFO(text);
    CHECK_FALSE(error_text([&] { make_combiner(text); }).empty());
  }
  const MatrixXd j = MatrixXd::Ones(3, 4);
  CHECK(contains(error_text([&] { direction("upgrad:preference=1/2", j); }), "2 entries"));
  CHECK(contains(error_text([&] { direction("krum:byzantine=2", j); }), "at least 5"));
  CHECK(contains(error_text([&] { direction("mgda:scale=loss", j); }), "needs the losses"));
}

TEST_CASE("gradient combiners: a resumed combiner goes on to the bit") {
  for (const auto& text : kGradientMethods) {
    INFO(text);
    std::mt19937_64 random(11);
    const auto first = make_combiner(text);
    for (int step = 0; step < 3; ++step) aggregate(*first, tensor_of(normal(random, 4, 6)));
    const auto second = make_combiner(text);
    second->load_state_dict(first->state_dict());
    for (int step = 0; step < 3; ++step) {
      const Tensor j = tensor_of(normal(random, 4, 6));
      CHECK(torch::equal(aggregate(*first, j), aggregate(*second, j)));
    }
  }
}

TEST_CASE("gradient combiners: an absent task keeps its state and receives nothing") {
  std::mt19937_64 random(13);
  const auto problem = std::make_shared<LinearProblem>(5, 8);
  for (const auto& text : kGradientMethods) {
    INFO(text);
    const auto combiner = make_combiner(text);
    const auto step = [&](std::vector<int64_t> present) {
      const Tensor j = tensor_of(normal(random, 5, 8));
      TaskLosses losses = problem->losses(j, {}, present);
      losses.another_batch = [&, j, present] { return problem->losses(j, {}, present); };
      return problem->step(*combiner, losses);
    };
    step({});
    const NamedTensors before = combiner->state_dict();
    std::set<std::string> kept;
    for (const auto& item : before)
      if (item.value().dim() == 1 && item.value().size(0) == 5 && item.key() != "draws")
        kept.insert(item.key());
    std::vector<Tensor> absent;
    for (const auto& name : kept) absent.push_back(before[name][1].clone());
    CHECK(torch::isfinite(step({0, 2, 3, 4})).all().item<bool>());
    const NamedTensors after = combiner->state_dict();
    size_t k = 0;
    for (const auto& name : kept) {
      INFO(name);
      CHECK(torch::equal(after[name][1], absent[k++]));
    }
    TaskLosses none;
    none.task_count = 5;
    CHECK(problem->step(*combiner, none).abs().sum().item<double>() == 0);
  }
}

namespace {

// What the method takes gradients of.
std::vector<Tensor> differentiated(const std::string& text, const TaskLosses& losses) {
  std::vector<Tensor> values = losses.values;
  if (text == "db_mtl")
    for (Tensor& loss : values) loss = torch::log(loss + 1e-8);
  return values;
}

}  // namespace

TEST_CASE("gradient combiners: on a real network .grad is what the explicit rows give") {
  for (const auto type : {torch::kFloat, torch::kDouble}) {
    RealNetwork network(type);
    for (const auto& text : kGradientMethods) {
      INFO(text);
      const auto make = [&]() -> std::unique_ptr<Combiner> {
        // One draw a parameter is not one draw over all columns, unless they are all the same.
        if (text == "graddrop")
          return std::make_unique<GradDrop>(GradDrop::Options{
              .uniforms = [](const Tensor& odds) { return torch::full_like(odds, 0.4); }});
        return make_combiner(text, network.tasks);
      };
      TaskLosses losses = network.losses();
      // MoCo scales rows by the losses, which a Jacobian does not tell: losses of 1.
      if (text == "moco")
        for (Tensor& loss : losses.values) loss = loss / loss.detach();
      const auto rows =
          RealNetwork::jacobian(differentiated(text, losses), network.model->shared_parameters());
      const VectorXd expected = vector_of(aggregate(*make(), rows));
      const VectorXd found = network.step(*make(), losses);
      CHECK((found - expected).norm() <= (type == torch::kFloat ? 1e-6 : 1e-12) * expected.norm());
      CHECK(network.model->shared_parameters().front().grad().scalar_type() == type);
    }
  }
}

TEST_CASE("gradient combiners: at the shared representation, its rows decide") {
  RealNetwork network(torch::kDouble);
  for (const auto& text : kGradientMethods) {
    // These two look at more than the rows: the representation's signs, the losses.
    if (text == "graddrop" || text == "moco") continue;
    INFO(text);
    const TaskLosses losses = network.losses();
    const Tensor& z = losses.representation;
    const Tensor chosen = aggregate(*make_combiner(text, network.tasks),
                                    RealNetwork::jacobian(differentiated(text, losses), {z}));
    const VectorXd expected = vector_of(RealNetwork::flat(torch::autograd::grad(
        {z}, network.model->shared_parameters(), {chosen.reshape(z.sizes())}, true)));
    const auto separator = text.find(':') == std::string::npos ? ":" : ",";
    const auto combiner = make_combiner(text + separator + "at=representation", network.tasks);
    CHECK((network.step(*combiner, losses) - expected).norm() <= 1e-12 * expected.norm());
  }
}
