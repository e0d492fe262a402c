#include <cmath>

#include "catch.hpp"
#include "error_text.hpp"
#include "mtl/report/trade_offs.hpp"

using namespace mtl;
using namespace mtl::report;
using mtl::evaluate::Front;

namespace {

Front small_front(size_t tasks) {
  Front front;
  for (size_t t = 0; t < tasks; ++t)
    front.objectives.push_back(
        {"task " + std::to_string(t), "mae", t == 1 ? Better::higher : Better::lower});
  for (int i = 0; i < 5; ++i) {
    std::vector<double> values(tasks, i);
    front.points.push_back({i < 3 ? "fixed" : "stch", {}, values, {}, i == 2 || i == 3});
  }
  front.points.push_back({"stch", {}, std::vector<double>(tasks, NAN), {}, false});
  return front;
}

}  // namespace

TEST_CASE("trade-offs: every method and both axes by name, the front ringed") {
  try {
    const std::string svg = draw(trade_off_chart(small_front(2), "trade <off>"), Format::svg);
    for (const auto* part :
         {"trade &lt;off>", "task 0 mae, lower is better", "task 1 mae, higher is better",
          ">fixed<", ">stch<", ">no other beats it<", ">front<"})
      CHECK(contains(svg, part));
    const std::string three = draw(trade_off_chart(small_front(3)), Format::svg);
    CHECK(contains(three, "task 2 mae, lower is better"));
    CHECK_FALSE(contains(three, ">front<"));
  } catch (const NoGnuplot& missing) {
    WARN(missing.what());
  }
  CHECK(contains(error_text([] { trade_off_chart(small_front(5)); }), "5 tasks"));
  Front none = small_front(2);
  none.points = {none.points.back()};
  CHECK(contains(error_text([&] { trade_off_chart(none); }), "no point"));
}
