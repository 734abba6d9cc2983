package dev.resid.testing;

import com.sun.source.doctree.DocCommentTree;
import com.sun.source.doctree.ParamTree;
import com.sun.source.tree.AnnotationTree;
import com.sun.source.tree.ClassTree;
import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.tree.MethodTree;
import com.sun.source.tree.ModifiersTree;
import com.sun.source.tree.Tree;
import com.sun.source.tree.VariableTree;
import com.sun.source.util.DocTrees;
import com.sun.source.util.JavacTask;
import com.sun.source.util.TreePath;
import com.sun.source.util.TreePathScanner;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import javax.lang.model.element.Modifier;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;

/**
 * Finds what is public and has no comment. The Javadoc tool could, but only together with demanding
 * a tag for everything that a good first sentence has said already.
 */
public final class PublicComments {
  private PublicComments() {}

  /**
   * Returns what lacks a comment: public types and their public or protected members that override
   * nothing, record components without a {@code @param}, and packages without a {@code
   * package-info.java}.
   *
   * @param sources a source root
   * @return one line each, {@code File.java:12 name}
   * @throws IOException if the sources cannot be read
   */
  public static List<String> missing(Path sources) throws IOException {
    List<Path> files;
    try (Stream<Path> walk = Files.walk(sources)) {
      files = walk.filter(file -> file.toString().endsWith(".java")).sorted().toList();
    }
    List<String> found = new ArrayList<>();
    files.stream()
        .map(Path::getParent)
        .distinct()
        .filter(folder -> !Files.exists(folder.resolve("package-info.java")))
        .forEach(folder -> found.add(sources.relativize(folder) + " package-info.java"));
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    try (StandardJavaFileManager manager = compiler.getStandardFileManager(null, null, null)) {
      JavacTask task =
          (JavacTask)
              compiler.getTask(
                  null, manager, null, null, null, manager.getJavaFileObjectsFromPaths(files));
      DocTrees trees = DocTrees.instance(task);
      for (CompilationUnitTree unit : task.parse()) {
        new Scanner(trees, unit, found).scan(unit, null);
      }
    }
    return found;
  }

  private static final class Scanner extends TreePathScanner<Void, Void> {
    private final DocTrees trees;
    private final CompilationUnitTree unit;
    private final List<String> found;

    private Scanner(DocTrees trees, CompilationUnitTree unit, List<String> found) {
      this.trees = trees;
      this.unit = unit;
      this.found = found;
    }

    @Override
    public Void visitClass(ClassTree type, Void unused) {
      if (!isVisible(type.getModifiers(), getCurrentPath())) {
        return null; // nothing in it can be reached from outside
      }
      DocCommentTree comment = require(type, type.getSimpleName().toString());
      if (type.getKind() == Tree.Kind.RECORD && comment != null) {
        requireComponents(type, comment);
      }
      return super.visitClass(type, unused);
    }

    @Override
    public Void visitMethod(MethodTree method, Void unused) {
      if (isVisible(method.getModifiers(), getCurrentPath())
          && !overrides(method.getModifiers())
          && trees.getSourcePositions().getEndPosition(unit, method) >= 0) {
        require(method, method.getName() + "()");
      }
      return null; // what is inside a method is nobody's business
    }

    @Override
    public Void visitVariable(VariableTree field, Void unused) {
      boolean component =
          getCurrentPath().getParentPath().getLeaf().getKind() == Tree.Kind.RECORD
              && !field.getModifiers().getFlags().contains(Modifier.STATIC);
      if (!component && isVisible(field.getModifiers(), getCurrentPath())) {
        require(field, field.getName().toString());
      }
      return null;
    }

    private void requireComponents(ClassTree type, DocCommentTree comment) {
      Set<String> described =
          new java.util.HashSet<>(
              comment.getBlockTags().stream()
                  .filter(ParamTree.class::isInstance)
                  .map(tag -> ((ParamTree) tag).getName().toString())
                  .toList());
      for (Tree member : type.getMembers()) {
        if (member instanceof VariableTree field
            && !field.getModifiers().getFlags().contains(Modifier.STATIC)
            && !described.contains(field.getName().toString())) {
          report(type, type.getSimpleName() + " @param " + field.getName());
        }
      }
    }

    private DocCommentTree require(Tree tree, String name) {
      DocCommentTree comment = trees.getDocCommentTree(getCurrentPath());
      if (comment == null || comment.getFirstSentence().isEmpty()) {
        report(tree, name);
      }
      return comment;
    }

    private void report(Tree tree, String name) {
      long line =
          unit.getLineMap().getLineNumber(trees.getSourcePositions().getStartPosition(unit, tree));
      Path file = Path.of(unit.getSourceFile().toUri()).getFileName();
      found.add(file + ":" + line + " " + name);
    }

    private static boolean isVisible(ModifiersTree modifiers, TreePath path) {
      Set<Modifier> flags = modifiers.getFlags();
      Tree parent = path.getParentPath().getLeaf();
      boolean inInterface =
          parent.getKind() == Tree.Kind.INTERFACE || parent.getKind() == Tree.Kind.ANNOTATION_TYPE;
      return flags.contains(Modifier.PUBLIC)
          || flags.contains(Modifier.PROTECTED)
          || inInterface && !flags.contains(Modifier.PRIVATE);
    }

    private static boolean overrides(ModifiersTree modifiers) {
      return modifiers.getAnnotations().stream()
          .map(AnnotationTree::getAnnotationType)
          .anyMatch(name -> name.toString().equals("Override"));
    }
  }
}
