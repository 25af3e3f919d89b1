package yolov2tf.demo;

import android.app.Activity;
import android.content.Context;
import android.content.Intent;
import android.content.res.Configuration;
import android.hardware.display.DisplayManager;
import android.os.Bundle;
import android.os.Handler;
import android.os.Looper;
import android.view.SurfaceView;
import android.view.View;
import android.view.WindowManager;
import android.widget.ImageView;
import android.widget.Toast;
import java.io.IOException;
import java.util.Collections;
import java.util.List;
import yolov2tf.core.Detections;

/**
 * Shows what the network finds, in what the camera sees or in a picked picture.
 *
 * <p>Camera and network live from resume to pause. Whatever may start the camera (resuming, the
 * permission, a surface of the right size, a camera that comes back) calls {@link #startCamera},
 * which looks whether all of it is there. What has to be said follows from what is the matter:
 * {@link Troubles}.
 */
public final class MainActivity extends Activity implements DisplayManager.DisplayListener,
        Controls.Listener, PictureSource.Listener, CameraFrames.Listener, ScreenResults.Listener,
        MoreMenu.Listener {
    private static final int ASK_CAMERA = 1;
    private static final int PICK_PICTURE = 2;
    private static final int SAVE = 3;
    private static final String CAMERA = "camera";

    private OverlayView overlay;
    private Troubles troubles;
    private Controls controls;
    private CameraPermission permission;

    private LiveCamera camera;
    private PictureSource pictures;
    private final ClassFilter classes = new ClassFilter();
    private SnapshotSaver saver;
    private SnapshotSaver.Kind saving; // what the next snapshot is saved as
    private Analyzer analyzer; // these three are null while paused
    private ScreenResults results;
    private CameraFrames frames;
    private boolean resumed;
    private final Handler screen = new Handler(Looper.getMainLooper());

    // === Lifecycle ===

    @Override
    @SuppressWarnings("deprecation") // getDisplay() came with API 30
    protected void onCreate(Bundle state) {
        super.onCreate(state);
        setContentView(R.layout.main);
        getWindow().addFlags(WindowManager.LayoutParams.FLAG_KEEP_SCREEN_ON);
        overlay = findViewById(R.id.overlay);
        troubles = new Troubles(this, new Notice(findViewById(R.id.notice)));
        permission = new CameraPermission(this, ASK_CAMERA, state);
        camera = new LiveCamera(this, getWindowManager().getDefaultDisplay(),
                findViewById(R.id.preview),
                this.<SurfaceView>findViewById(R.id.camera).getHolder(), this::startCamera);
        controls = new Controls(findViewById(R.id.panel), modelNames(),
                runtime().accelerators(), state, this);
        overlay.setThreshold(controls.threshold());
        pictures = new PictureSource(this, this);
        saver = new SnapshotSaver(this, SAVE);
        if (state != null) {
            classes.restore(state);
            camera.choose(state.getInt(CAMERA));
            pictures.restore(state);
        }
        overlay.setFilter(classes);
        ScreenArrangement.apply(this);
    }

    @Override
    protected void onResume() {
        super.onResume();
        resumed = true;
        troubles.camera = null;
        displays().registerDisplayListener(this, screen);
        results = new ScreenResults(this, overlay, controls, pictures, screen, this);
        analyzer = new Analyzer(new ModelAssets(getAssets()), runtime(), results);
        if (controls.hasModels()) {
            loadModel();
            camera.watch();
            startCamera();
        } else {
            troubles.model = getString(R.string.no_models);
        }
        tell();
    }

    @Override
    protected void onPause() {
        resumed = false;
        displays().unregisterDisplayListener(this);
        camera.unwatch();
        camera.stop();
        endFrames();
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
        state.putInt(CAMERA, camera.chosen());
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

    /** Starts the camera if everything that it needs is there; else says what is missing. */
    private void startCamera() {
        if (!resumed || camera.runs() || pictures.takesTheStage() || !controls.hasModels()) {
            return;
        }
        if (!permission.granted()) {
            if (!permission.asked()) {
                permission.ask();
            }
            tell();
            return;
        }
        int count = camera.find();
        controls.setCameras(count);
        troubles.camera = count == 0 ? getString(R.string.no_camera) : null;
        if (count > 0) {
            overlay.setMirrored(camera.mirrored());
            endFrames();
            frames = new CameraFrames(analyzer, camera, screen, this);
            camera.start(frames);
        }
        tell();
    }

    private void endFrames() {
        if (frames != null) {
            frames.end();
            frames = null;
        }
    }

    @Override
    public void onCameraLost() {
        troubles.camera = getString(R.string.camera_lost);
        overlay.clear();
        camera.lose();
        tell();
    }

    @Override
    public void onCameraFailed(String reason) {
        troubles.camera = getString(R.string.camera_failed, reason);
        overlay.clear();
        tell();
    }

    @Override
    public void onRequestPermissionsResult(int request, String[] permissions, int[] answers) {
        permission.answered(answers);
        startCamera(); // onResume may have come before the answer, or comes after it
        tell();
    }

    @Override
    public void onOtherCamera() {
        camera.stop();
        camera.next();
        overlay.clear();
        startCamera();
    }

    // === The screen ===

    /** Half a turn changes no configuration, only the display. */
    @Override
    public void onDisplayChanged(int id) {
        camera.turn();
    }

    @Override
    public void onDisplayAdded(int id) {}

    @Override
    public void onDisplayRemoved(int id) {}

    private DisplayManager displays() {
        return (DisplayManager) getSystemService(Context.DISPLAY_SERVICE);
    }

    private void tell() {
        troubles.tell(pictures, permission);
    }

    // === Model and threshold ===

    private List<String> modelNames() {
        try {
            return new ModelAssets(getAssets()).names();
        } catch (IOException error) {
            return Collections.emptyList();
        }
    }

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
        Intent intent = new Intent(Intent.ACTION_GET_CONTENT)
                .setType("image/*")
                .addCategory(Intent.CATEGORY_OPENABLE);
        startActivityForResult(Intent.createChooser(intent, null), PICK_PICTURE);
    }

    @Override
    protected void onActivityResult(int request, int result, Intent data) {
        if (request == PICK_PICTURE && result == RESULT_OK && data != null
                && data.getData() != null) {
            troubles.picture = null;
            pictures.open(data.getData());
        } else if (request == SAVE) {
            saver.answered(result == RESULT_OK && data != null ? data.getData() : null);
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
                startCamera();
            }
        }
        tell();
    }

    @Override
    public void onPictureFailed(String reason) {
        troubles.picture = getString(R.string.picture_failed, reason);
        startCamera(); // it may have waited for a picture from before
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

    /** Of the picture that is shown, or of the camera's next frame. */
    @Override
    public void onSave(SnapshotSaver.Kind kind) {
        saving = kind;
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
        saver.ask(saving, snapshot);
    }

    @Override
    public void onBenchmark() {
        startActivity(BenchmarkActivity.of(this, controls.model()));
    }
}
