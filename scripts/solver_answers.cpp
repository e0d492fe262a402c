// The answers of combine/solvers to some thousand problems of every kind, for scripts/mutate.py: a planted fault that was
// reached time and again and left every one of them as it was decides how soon an answer is found, or from where.
//   solver_answers FILE      writes them as doubles, and says on the standard output how often the fault was reached
#include <cstdio>
#include <functional>

#include "mtl/combine/solvers/solvers.hpp"
#include "mtl/core/error.hpp"
#include "random_jacobians.hpp"

using namespace mtl::solvers;
using namespace random_jacobians;
using Eigen::MatrixXd;
using Eigen::VectorXd;

namespace {

std::vector<double> answers;

void say(double number) { answers.push_back(number); }
void say(const MatrixXd& numbers) {
  for (Eigen::Index i = 0; i < numbers.size(); ++i) say(numbers.data()[i]);
}

// What weights w mean: the direction J'w, which is one where w is not (dependent rows). By itself
// and its length; where it is next to nothing, against the terms that cancel.
void say_direction(const MatrixXd& jacobian, const VectorXd& w) {
  const VectorXd direction = jacobian.transpose() * w;
  const double terms = jacobian.rowwise().norm().dot(w.cwiseAbs()), length = direction.norm();
  const bool cancels = !(length > 1e-5 * terms);
  say(cancels ? (terms > 0 ? 1 : 0) : std::log(length));
  if (terms > 0) say(MatrixXd(direction / (cancels ? terms : length)));
}

// An error is an answer too.
void ask(const std::function<void()>& question) {
  try {
    question();
  } catch (const mtl::Error&) {
    say(-1e300);
  }
}

void answer(const Problem& problem, std::mt19937_64& random) {
  const MatrixXd& j = problem.jacobian;
  const MatrixXd g = problem.gramian();
  const Eigen::Index n = j.rows();
  const double size = j.rowwise().norm().maxCoeff();
  const auto bargain = [&](const Bargain& b) {
    say(b.stationary);
    say_direction(j, b.weights);
  };
  ask([&] {
    const HullPoint point = min_norm_point(g);
    say(point.stationary);
    say(point.squared_norm / (size * size));
    say_direction(j / size, point.weights);
  });
  ask([&] { bargain(nash(g)); });
  for (double alpha : {0.5, 3.0}) ask([&] { bargain(fairgrad(g, alpha)); });
  for (double c : {0.0, 0.1, 0.6, 1.0, 5.0}) ask([&] { bargain(cagrad(g, c)); });
  const VectorXd some = normal(random, static_cast<int>(n), 1);
  ask([&] {
    const MatrixXd v = project_on_dual_cone(g, normal(random, static_cast<int>(n), 2));
    for (Eigen::Index k = 0; k < v.cols(); ++k) say_direction(j, v.col(k));
  });
  ask([&] { say_direction(j, sum_of_dual_cone_projections(g, some.cwiseAbs())); });
  // What a direction meets with room to spare, and what none may: where it is a matter of the last digit there is no answer.
  const VectorXd spare = j * j.row(0).transpose() - 0.1 * size * j.rowwise().norm();
  for (const VectorXd& products : {VectorXd(some.cwiseAbs()), some, spare})
    ask([&] {
      const auto w = shortest_with_products(g, products);
      say(w.has_value());
      if (w) say_direction(j, *w);
    });
  ask([&] {
    const VectorXd q = normal(random, static_cast<int>(j.cols()), 1);
    for (double demand : {-0.5, 0.1, 0.9}) {
      const auto point = constrained_min_norm(g, j * q * size, q.squaredNorm() * size * size,
                                              demand * q.squaredNorm() * size * size);
      say(point.multiplier);
      say_direction(j / size, point.weights);
    }
  });
  ask([&] {
    const Spectrum s = spectrum(g);
    const double largest = s.values.size() > 0 ? s.values.maxCoeff() : 1;
    say(static_cast<double>(s.values.size()));
    say(MatrixXd(s.values / largest));
    say(MatrixXd(s.vectors * (s.values / largest).asDiagonal() * s.vectors.transpose()));
    say(is_well_known(g));
    if (is_well_known(g)) say(MatrixXd(s.values.array().log().matrix()));
    say(MatrixXd(spectral_product(s, s.values, some) / largest));
    if (s.values.size() > 0) say_direction(j, equal_projections(s));
    const Spectrum again =
        refined(g, [&](const MatrixXd& b) -> MatrixXd { return (b * j) * (b * j).transpose(); });
    if (again.values.size() > 0) say_direction(j, equal_projections(again));
    const MatrixXd rows = coordinates(g);
    say(MatrixXd(rows.transpose() * rows / largest));
  });
  ask([&] { say_direction(j, equal_angles(g, some.cwiseAbs())); });
  ask([&] { say_direction(j, pseudo_solve(g, j * j.row(0).transpose())); });
  ask([&] { say_direction(j, pseudo_solve(g, some)); });
  say(project_on_simplex(some));
  say(softmax(some));
  say(through_softmax(softmax(some), VectorXd(j.col(0) / size)));
}

void answer_vectors(const MatrixXd& g, const VectorXd& v, const VectorXd& w) {
  say(lengths(g));
  say(scaled(g, v));
  say(product(g, v));
  say(squared_length(g, w));
  say(dot(v, w));
  say(length(v));
  say(times(3.0, v));
  say(divided(v, 7.0));
  say(times(v, w));
  say(sum(v, 2.0, w));
  VectorXd sum = v;
  add(sum, 0.5, w);
  add_column(sum, 0.25, g, 1);
  say(sum);
  say(column(g, 1));
  say(diagonal(g));
  say(mean_of_columns(g));
  say(without_first(g));
  say(from_rows(g.data(), 2, g.size() / 2));
  MatrixXd rows = g;
  to_rows(g.topRows(2), rows.data());
  say(rows);
}

}  // namespace

int main(int, char** arguments) {
  std::mt19937_64 random(77);
  std::vector<Problem> all = problems(every_kind(), 3, {24, 40});
  for (int round = 0; round < 8; ++round)
    for (const std::string& kind : kSingular)
      for (int tasks = 2; tasks <= 12; ++tasks) all.push_back(draw(random, tasks, kind));
  // Small whole numbers: ties, right angles, rows that are zero, parallel, opposed or stationary by chance.
  for (int round = 0; round < 400; ++round) {
    const int tasks = 2 + round % 6;
    all.push_back({"whole", normal(random, tasks, 2 + round % 5).array().round().matrix()});
  }
  // More rows than dimensions, in a half-space and not.
  for (int round = 0; round < 400; ++round) {
    MatrixXd j = normal(random, 3 + round % 8, 2 + round % 3);
    if (round % 4 > 0) j.col(0) = j.col(0).cwiseAbs().array() + 0.05;
    all.push_back({"many rows", j});
    all.push_back(draw_flat(random, 4 + round % 5, 2 + round % 2));
  }
  for (const Problem& problem : all)
    if (problem.jacobian.rowwise().norm().maxCoeff() > 0) answer(problem, random);
  answer_vectors(all[20].gramian(), all[20].jacobian.col(0), all[20].jacobian.col(1));
  std::FILE* file = std::fopen(arguments[1], "wb");
  std::fwrite(answers.data(), sizeof(double), answers.size(), file);
  std::fclose(file);
  std::printf("%ld\n", planted::reached);
}
