#include "catch.hpp"

#include "error_text.hpp"
#include "mtl/io/atomic_file.hpp"
#include "mtl/report/html.hpp"
#include "temporary_folder.hpp"

using namespace mtl;
using namespace mtl::report;

TEST_CASE("HtmlPage: all text is escaped, and nothing is loaded from elsewhere") {
  HtmlPage page("東京 <script>\"'&");
  page.heading("<h>").text("a < b & c\n\xff").warnings({"<w>"}).png("\x89PNG", "\"alt\"", "<c>");
  page.table({{"<head>"}, {{"<cell>"}}}, "<caption>");
  const auto html = page.html();
  CHECK(contains(html, "<title>東京 &lt;script&gt;&quot;&#39;&amp;</title>"));
  CHECK(contains(html, "<h2>&lt;h&gt;</h2>"));
  CHECK(contains(html, "a &lt; b &amp; c\n\xef\xbf\xbd"));
  CHECK(contains(html, "<li>&lt;w&gt;</li>"));
  CHECK(contains(html, "alt=\"&quot;alt&quot;\" src=\"data:image/png;base64,iVBORw==\""));
  CHECK(contains(html, "&lt;head&gt;"));
  CHECK(contains(html, "&lt;cell&gt;"));
  CHECK(contains(html, "&lt;caption&gt;"));
  for (const auto part : {"http:", "https:", "<script", "<link", "@import", "url("})
    CHECK_FALSE(contains(html, part));
}

TEST_CASE("HtmlPage: base64 of every length") {
  const auto embedded = [](const std::string& bytes) {
    return HtmlPage("t").png(bytes, "").html();
  };
  CHECK(contains(embedded(""), "base64,\""));
  CHECK(contains(embedded("f"), "base64,Zg==\""));
  CHECK(contains(embedded("fo"), "base64,Zm8=\""));
  CHECK(contains(embedded("foo"), "base64,Zm9v\""));
  CHECK(contains(embedded("\xff\xfe\xfd\xfc"), "base64,//79/A==\""));
}

TEST_CASE("HtmlPage: columns of numbers stand to the right") {
  const auto html = HtmlPage("t")
                        .table({{"name", "share", "mixed"},
                                {{"a", "43.6 %", "1"}, {"b", "-1e-3", "x"}, {"c", "", ""}}})
                        .html();
  CHECK(contains(html, "<th>name</th><th class=\"number\">share</th><th>mixed</th>"));
  CHECK(contains(html, "<td class=\"number\">43.6 %</td>"));
  CHECK(contains(html, "<td>x</td>"));
  CHECK(contains(error_text([] {
                   HtmlPage("t").table({{"a", "b"}, {{"1"}}}, "broken");
                 }),
                 "1 cells below a header of 2"));
}

TEST_CASE("HtmlPage: without gnuplot a figure is an error and the page stays as it was") {
  HtmlPage page("t", {.gnuplot = "/no/such/gnuplot"});
  const auto before = page.html();
  CHECK_THROWS_AS(page.figure({"f", "plot x\n", 100, 100}), NoGnuplot);
  CHECK(page.html() == before);
  CHECK(page.warnings({}).html() == before);
  const TemporaryFolder folder;
  page.save(folder / "report.html");
  CHECK(io::read_file(folder / "report.html") == before);
}
