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
  CHECK(contains(html, "<h2 id=\"s1\">&lt;h&gt;</h2>"));
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

TEST_CASE("HtmlPage: the verdict stands first, whenever it is given; many headings get a list") {
  HtmlPage page("t");
  page.text("later").heading("a").verdict({"better < worse"});
  CHECK(page.html().find("better &lt; worse") < page.html().find("later"));
  CHECK_FALSE(contains(page.html(), "<nav>"));
  page.heading("b").heading("c").heading("<d>");
  CHECK(contains(page.html(), "<a href=\"#s4\">&lt;d&gt;</a>"));
}

TEST_CASE("HtmlPage: pictures stand in the page as they are, with names of their own") {
  const std::string svg =
      "<?xml version=\"1.0\"?>\n<svg\n width=\"30\" height=\"20\"\n viewBox=\"0 0 30 20\"\n "
      "xmlns=\"http://www.w3.org/2000/svg\">\n<title>Gnuplot</title>\n"
      "<rect x=\"0\" y=\"0\" width=\"30\" height=\"20\" fill=\"#ffffff\"/>\n"
      "<path id='gpPt0' d='M0'/><use xlink:href='#gpPt0'/><g filter=\"url(#box)\">"
      "<text>id='gpPt0' &lt;b&gt; > c</text></g></svg>\n";
  HtmlPage page("t");
  page.svg(svg, "what <it> shows").svg(svg, "again", "", /*photo=*/true);
  const auto html = page.html();
  CHECK(contains(html, "aria-label=\"what &lt;it&gt; shows\" viewBox=\"0 0 30 20\""));
  CHECK(contains(html, "style=\"--width:30px\""));
  CHECK(contains(html, "<path id='p1-gpPt0' d='M0'/><use href='#p1-gpPt0'/>"));
  CHECK(contains(html, "filter=\"url(#p2-box)\""));
  CHECK(contains(html, "<text>id='gpPt0' &lt;b&gt; > c</text>"));  // a text is no name
  CHECK_FALSE(contains(html, "Gnuplot"));
  CHECK_FALSE(contains(html, "http:"));
  // The ground of a picture is the page's own, but of a photograph.
  CHECK(html.find("fill=\"#ffffff\"") == html.rfind("fill=\"#ffffff\""));
  CHECK(contains(error_text([] { HtmlPage("t").svg("no picture", "broken"); }), "\"broken\""));
}
