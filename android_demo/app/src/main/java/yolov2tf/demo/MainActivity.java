package yolov2tf.demo;

import android.app.Activity;
import android.content.Intent;
import android.content.res.Configuration;
import android.net.Uri;
import android.os.Bundle;
import android.os.Handler;
import android.os.Looper;
import android.view.View;
import android.view.WindowManager;
import android.widget.ImageView;
import android.widget.Toast;
import java.util.List;
import java.util.function.Consumer;
import yolov2tf.core.Detections;

/**
 * Shows what the network finds, in what the camera sees or in a picked picture.
 *
 * <p>Camera and network live from resume to pause. What has to be said follows from what is the
 * matter: {@link Troubles}.
 */
public final class MainActivity extends Activity implements Controls.Listener,
        PictureSource.Listener, ScreenResults.Listener, MoreMenu.Listener {
    private static final int ASK_CAMERA = 1;
    private static final int PICK_PICTURE = 2;
    private static final int SAVE = 3;

    private OverlayView overlay;
    private Troubles troubles;
    private Controls controls;
    private CameraPermission permission;

    CameraStage camera; // tests turn the screen under it
    private PictureSource pictures;
    private final ClassFilter classes = new ClassFilter();
    private SnapshotSaver saver;
    private SnapshotSharer sharer;
    private Consumer<Snapshot> taker; // of the next snapshot
    private Analyzer analyzer; // these two are null while paused
    private ScreenResults results;
    private final Handler screen = new Handler(Looper.getMainLooper());

    // === Lifecycle ===

    @Override
    protected void onCreate(Bundle state) {
        super.onCreate(state);
        setContentView(R.layout.main);
        getWindow().addFlags(WindowManager.LayoutParams.FLAG_KEEP_SCREEN_ON);
        overlay = findViewById(R.id.overlay);
        troubles = new Troubles(this, new Notice(findViewById(R.id.notice)));
        permission = new CameraPermission(this, ASK_CAMERA, state);
        controls = new Controls(findViewById(R.id.panel),
                new ModelAssets(getAssets()).names(), runtime().accelerators(), state, this);
        overlay.setThreshold(controls.threshold());
        pictures = new PictureSource(this, this);
        camera = new CameraStage(
                this, permission, overlay, controls, pictures, troubles, this::tell);
        saver = new SnapshotSaver(this, SAVE);
        sharer = new SnapshotSharer(this);
        if (state != null) {
            classes.restore(state);
            camera.restore(state);
            pictures.restore(state);
        }
        overlay.setFilter(classes);
        ScreenArrangement.apply(this);
    }

    @Override
    protected void onResume() {
        super.onResume();
        results = new ScreenResults(this, overlay, controls, pictures, screen, this);
        analyzer = new Analyzer(new ModelAssets(getAssets()), runtime(), results);
        if (controls.hasModels()) {
            loadModel();
        } else {
            troubles.model = getString(R.string.no_models);
        }
        camera.resume(analyzer);
        tell();
    }

    @Override
    protected void onPause() {
        camera.pause();
        results.end();
        results = null;
        analyzer.close();
        analyzer = null;
        super.onPause();
    }

    @Override
    protected void onSaveInstanceState(Bundle state) {
        super.onSaveInstanceState(state);
        controls.save(state);
        classes.save(state);
        permission.save(state);
        pictures.save(state);
        camera.save(state);
    }

    @Override
    protected void onDestroy() {
        pictures.end(isFinishing());
        super.onDestroy();
    }

    @Override
    public void onConfigurationChanged(Configuration configuration) {
        super.onConfigurationChanged(configuration);
        ScreenArrangement.apply(this);
        camera.turn();
    }

    /** From a picture to the camera, then out. */
    @Override
    @SuppressWarnings("deprecation") // its successor came with API 33
    public void onBackPressed() {
        if (pictures.isOpening() || pictures.shown() != null) {
            pictures.close();
        } else {
            super.onBackPressed();
        }
    }

    private NetworkRuntime runtime() {
        return ((DemoApplication) getApplication()).runtime();
    }

    // === Camera ===

    @Override
    public void onRequestPermissionsResult(int request, String[] permissions, int[] answers) {
        permission.answered(answers);
        camera.start(); // onResume may have come before the answer, or comes after it
        tell();
    }

    @Override
    public void onOtherCamera() {
        camera.next();
    }

    private void tell() {
        troubles.tell(pictures, permission);
    }

    // === Model and threshold ===

    private void loadModel() {
        troubles.model = null;
        overlay.clear();
        controls.showTimes(getString(R.string.loading, controls.model()));
        analyzer.load(controls.model(), controls.accelerator());
        lookAtPicture();
    }

    @Override
    public void onModelChosen() {
        controls.remark(null);
        if (analyzer != null) {
            loadModel();
            tell();
        }
    }

    @Override
    public void onModelTrouble(String words) {
        troubles.model = words;
        tell();
    }

    @Override
    public void onGpuLost() {
        loadModel();
    }

    @Override
    public void onThresholdChosen(float threshold) {
        overlay.setThreshold(threshold);
    }

    // === Pictures ===

    @Override
    public void onPickPicture() {
        if (pictures.shown() != null) {
            pictures.close();
            return;
        }
        Picker.ask(this, "image/*", PICK_PICTURE);
    }

    @Override
    protected void onActivityResult(int request, int result, Intent data) {
        Uri answer = Picker.answer(result, data);
        if (request == PICK_PICTURE && answer != null) {
            troubles.picture = null;
            pictures.open(answer);
        } else if (request == SAVE) {
            saver.answered(answer);
        }
    }

    @Override
    public void onPictureChanged() {
        PickedPicture picture = pictures.shown();
        if (overlay.setPicture(picture == null ? null : picture.bitmap)) {
            ImageView below = findViewById(R.id.picture);
            below.setImageBitmap(picture == null ? null : picture.bitmap);
            below.setVisibility(picture == null ? View.GONE : View.VISIBLE);
            controls.setPictureShown(picture != null);
            if (picture != null) {
                camera.stop();
                lookAtPicture();
            } else {
                camera.start();
            }
        }
        tell();
    }

    @Override
    public void onPictureFailed(String reason) {
        troubles.picture = getString(R.string.picture_failed, reason);
        camera.start(); // it may have waited for a picture from before
        tell();
    }

    private void lookAtPicture() {
        PickedPicture picture = pictures.shown();
        if (picture != null && analyzer != null) {
            analyzer.look(picture);
        }
    }

    // === More ===

    @Override
    public void onMore() {
        MoreMenu.show(this, this);
    }

    @Override
    public void onClasses() {
        List<String> names = overlay.names();
        if (names != null) {
            classes.ask(this, names, () -> overlay.setFilter(classes));
        }
    }

    @Override
    public void onSave(SnapshotKind kind) {
        keep(snapshot -> saver.ask(kind, snapshot));
    }

    @Override
    public void onShare(SnapshotKind kind) {
        keep(snapshot -> sharer.share(kind, snapshot));
    }

    /** Hands on the picture that is shown, or the camera's next frame. */
    private void keep(Consumer<Snapshot> to) {
        taker = to;
        PickedPicture picture = pictures.shown();
        Detections found = overlay.found();
        if (picture != null && found != null) {
            onSnapshot(overlay.snapshot(picture.bitmap, found, overlay.names()));
        } else if (picture == null && camera.runs() && analyzer != null) {
            analyzer.keepNext();
        } else {
            Toast.makeText(this, R.string.nothing_to_save, Toast.LENGTH_LONG).show();
        }
    }

    @Override
    public void onSnapshot(Snapshot snapshot) {
        taker.accept(snapshot);
    }

    @Override
    public void onVideo() {
        startActivity(VideoActivity.of(this, controls.model(), controls.accelerator(),
                controls.threshold(), classes));
    }

    @Override
    public void onBenchmark() {
        startActivity(BenchmarkActivity.of(this, controls.model()));
    }
}
