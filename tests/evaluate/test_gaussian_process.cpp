#include <cmath>

#include "catch.hpp"
#include "error_text.hpp"
#include "golden.hpp"
#include "mtl/evaluate/tuning/gaussian_process.hpp"

using mtl::evaluate::GaussianProcess;

namespace {

Eigen::VectorXd numbers(const nlohmann::json& values) {
  const auto list = values.get<std::vector<double>>();
  return Eigen::Map<const Eigen::VectorXd>(list.data(), static_cast<Eigen::Index>(list.size()));
}

Eigen::MatrixXd rows_of(const nlohmann::json& values) {
  Eigen::MatrixXd rows(values.size(), values[0].size());
  for (size_t i = 0; i < values.size(); ++i)
    rows.row(static_cast<Eigen::Index>(i)) = numbers(values[i]).transpose();
  return rows;
}

GaussianProcess process_of(const nlohmann::json& entry) {
  return {rows_of(entry["points"]), numbers(entry["values"]),
          GaussianProcess::Kernel{entry["variance"].get<double>(), numbers(entry["length_scales"]),
                                  entry["noise"].get<double>()}};
}

}  // namespace

TEST_CASE("GaussianProcess: mean, deviation, likelihood and its gradient as by scikit-learn") {
  for (const auto& entry : golden("tuning.json")["processes"]) {
    const GaussianProcess process = process_of(entry);
    const Eigen::MatrixXd asked = rows_of(entry["asked"]);
    for (Eigen::Index i = 0; i < asked.rows(); ++i) {
      const auto found = process.predict(asked.row(i).transpose());
      CHECK(std::abs(found.mean - numbers(entry["mean"])[i]) < 1e-8);
      CHECK(std::abs(found.deviation - numbers(entry["deviation"])[i]) < 1e-8);
    }
    const auto likelihood = entry["log_marginal_likelihood"].get<double>();
    CHECK(std::abs(process.log_marginal_likelihood() - likelihood) < 1e-8);
    const Eigen::VectorXd gradient = numbers(entry["gradient"]);
    CHECK((process.log_marginal_likelihood_gradient() - gradient).cwiseAbs().maxCoeff() <
          1e-8 * (1 + gradient.cwiseAbs().maxCoeff()));
  }
}

TEST_CASE("GaussianProcess: the slope of mean and deviation as by finite differences") {
  for (const auto& entry : golden("tuning.json")["processes"]) {
    const GaussianProcess process = process_of(entry);
    const Eigen::VectorXd point = rows_of(entry["asked"]).row(1).transpose();
    const auto slope = process.slope(point);
    CHECK(slope.at.mean == process.predict(point).mean);
    constexpr double step = 1e-6;
    for (Eigen::Index d = 0; d < point.size(); ++d) {
      Eigen::VectorXd up = point, down = point;
      up[d] += step;
      down[d] -= step;
      const auto above = process.predict(up), below = process.predict(down);
      CHECK(slope.mean[d] == Approx((above.mean - below.mean) / (2 * step)).margin(1e-6));
      CHECK(slope.deviation[d] ==
            Approx((above.deviation - below.deviation) / (2 * step)).epsilon(1e-4).margin(1e-5));
    }
  }
}

TEST_CASE("GaussianProcess: the fit finds which dimension matters, and how much noise there is") {
  // Values follow the first of two dimensions, with noise of deviation 0.1.
  Eigen::MatrixXd points(60, 2);
  Eigen::VectorXd values(60);
  for (int i = 0; i < 60; ++i) {
    points.row(i) << std::fmod(0.618 * i, 1), std::fmod(0.755 * i, 1);
    values[i] = std::sin(6 * points(i, 0)) + 0.1 * std::sqrt(2.0) * std::sin(1000.0 * i * i);
  }
  const auto process = GaussianProcess::fit(points, values);
  CHECK(process.kernel().length_scales[1] > 5 * process.kernel().length_scales[0]);
  CHECK(process.kernel().noise > 0.005);
  CHECK(process.kernel().noise < 0.02);
  for (const double other : {0.5, 2.0}) {  // no kernel nearby is likelier
    auto kernel = process.kernel();
    kernel.noise *= other;
    CHECK(GaussianProcess(points, values, kernel).log_marginal_likelihood() <
          process.log_marginal_likelihood());
  }
}

TEST_CASE("GaussianProcess: Error: shapes, numbers and kernels that make no process") {
  const Eigen::MatrixXd points = Eigen::MatrixXd::Zero(2, 1);
  const Eigen::VectorXd values = Eigen::VectorXd::Ones(2), one = Eigen::VectorXd::Ones(1);
  const auto text_of = [&](const Eigen::VectorXd& y, GaussianProcess::Kernel kernel) {
    return error_text([&] { GaussianProcess(points, y, std::move(kernel)); });
  };
  CHECK(contains(text_of(Eigen::VectorXd::Ones(3), {1, one, 0.1}), "[2, 1], 3 values"));
  CHECK(contains(text_of(values * std::nan(""), {1, one, 0.1}), "not finite"));
  CHECK(contains(text_of(values, {1, -one, 0.1}), "positive"));
  CHECK(contains(text_of(values, {1, one, 0}), "equal or close"));
  const GaussianProcess process(points, values, {1, one, 0.1});
  CHECK(contains(error_text([&] { process.predict(values); }), "a point of 2 dimensions"));
}
